// The launcher against the real programs: health, users and events of MinIO, crashes, data kept, nothing left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { Client as MinioClient } from 'minio';
import { Client as PostgresClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { identify, isAlive, type ProcessIdentity } from './home/process-identity.ts';
import { startParts, type PartName, type Running } from './index.ts';

const PARTS: PartName[] = ['kafka', 'postgres', 'minio'];

describe('parts', () => {
  let home: string;
  let running: Running;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'openscf-parts-'));
    running = await startParts({ home });
  });

  afterAll(async () => {
    const processes = PARTS.map((part) => identify(running.pid(part) as number) as ProcessIdentity);
    await running.stop();
    expect(processes.filter(isAlive)).toEqual([]);
    rmSync(home, { recursive: true });
  });

  const minioAs = (accessKey: string, secretKey: string) =>
    new MinioClient({
      endPoint: '127.0.0.1',
      port: running.ports.minio,
      useSSL: false,
      accessKey,
      secretKey,
    });
  const minioOfRoot = () => minioAs(running.keys.minioRootUser, running.keys.minioRootPassword);
  const minioOfPeople = () => minioAs(running.keys.minioAccessKey, running.keys.minioSecretKey);
  const kafka = () =>
    new Kafka({ brokers: [running.urls.kafka], logLevel: logLevel.NOTHING, retry: { retries: 20 } });

  async function rows(sql: string): Promise<unknown[]> {
    const client = new PostgresClient(running.urls.postgres);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async function crash(part: PartName): Promise<void> {
    const before = running.restarts(part);
    running.kill(part);
    await vi.waitUntil(() => running.restarts(part) === before + 1, { timeout: 5_000 });
    await vi.waitUntil(() => running.isHealthy(part), { timeout: 30_000, interval: 20 });
  }

  it('gives people every bucket but the one of the platform', async () => {
    await minioOfRoot().makeBucket('openscf-platform');
    await minioOfRoot().putObject('openscf-platform', 'secret', 'code');
    const people = minioOfPeople();
    await people.makeBucket('photos');
    await people.putObject('photos', 'a.txt', 'hello');
    expect((await people.statObject('photos', 'a.txt')).size).toBe(5);
    await expect(people.getObject('openscf-platform', 'secret')).rejects.toThrow('Access Denied');
    await expect(people.putObject('openscf-platform', 'mine', 'x')).rejects.toThrow('Access Denied');
    await expect(people.listObjects('openscf-platform').toArray()).rejects.toThrow('Access Denied');
    expect((await people.listBuckets()).map(({ name }) => name)).toEqual(['photos']);
  });

  it('sends an object event to both topics', async () => {
    const { NotificationConfig, QueueConfig } = await import('minio');
    const config = new NotificationConfig();
    for (const target of ['IMMEDIATE', 'DURABLE']) {
      const queue = new QueueConfig(`arn:minio:sqs::${target}:kafka`);
      queue.addEvent('s3:ObjectCreated:*');
      config.add(queue);
    }
    await minioOfRoot().makeBucket('noticed');
    await minioOfRoot().setBucketNotification('noticed', config);
    const topics = ['openscf.object-events', 'openscf.object-events-durable'];
    const admin = kafka().admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: topics.map((topic) => ({ topic })) });
    await admin.disconnect();
    const seen = new Set<string>();
    const consumer = kafka().consumer({ groupId: 'events' });
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, message }) =>
        void (message.value?.includes('noticed/a') && seen.add(topic)),
    });
    await minioOfPeople().putObject('noticed', 'a', 'x');
    await vi.waitUntil(() => seen.size === 2, { timeout: 30_000 });
    await consumer.disconnect();
  });

  it('makes a topic when somebody writes to it', async () => {
    const producer = kafka().producer();
    await producer.connect();
    await producer.send({ topic: 'orders', messages: [{ value: '1' }] });
    await producer.disconnect();
  });

  it('starts PostgreSQL again after kill -9, with its data', async () => {
    await rows('create table kept as select 1 as answer');
    await crash('postgres');
    expect(await rows('select answer from kept')).toEqual([{ answer: 1 }]);
  });

  it('starts MinIO again after kill -9, with its objects and users', async () => {
    await crash('minio');
    expect((await minioOfPeople().statObject('photos', 'a.txt')).size).toBe(5);
  });

  it('starts Kafka again after kill -9, with its records', async () => {
    await crash('kafka');
    const admin = kafka().admin();
    await admin.connect();
    expect(await admin.fetchTopicOffsets('orders')).toMatchObject([{ high: '1' }]);
    await admin.disconnect();
  });

  it('keeps a part down that was stopped, until it is started', async () => {
    await running.stopOne('minio');
    expect(running.pid('minio')).toBeUndefined();
    await running.startAgain('minio');
    expect(running.isHealthy('minio')).toBe(true);
  });
});

describe('parts of a launcher that is killed', () => {
  it('end with it', async () => {
    const home = mkdtempSync(join(tmpdir(), 'openscf-orphans-'));
    const program = join(home, 'launch.ts');
    const index = join(import.meta.dirname, 'index.ts');
    writeFileSync(
      program,
      `import { startParts } from ${JSON.stringify(index)};
       const running = await startParts({ home: ${JSON.stringify(join(home, 'home'))} });
       console.log(JSON.stringify(${JSON.stringify(PARTS)}.map((part) => running.pid(part))));`,
    );
    const launcher = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(launcher.stdout, 'data')) as [Buffer];
    const parts = (JSON.parse(line.toString()) as number[]).map((pid) => identify(pid) as ProcessIdentity);
    expect(parts.every(isAlive)).toBe(true);
    launcher.kill('SIGKILL');
    await vi.waitUntil(() => !parts.some(isAlive), { timeout: 10_000 });
    rmSync(home, { recursive: true });
  });
});
