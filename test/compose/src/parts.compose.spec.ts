import { buffer } from 'node:stream/consumers';
import { Bus } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import { Database, sql } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { anAsyncEvent, eventually, uniqueName } from '@openscf/testing';
import { GenericContainer, Wait } from 'testcontainers';
import { expect, it, onTestFinished } from 'vitest';
import { ports } from './engine.js';

/** Runs until the test has ended; its volumes go with it. */
async function start(container: GenericContainer): Promise<void> {
  const started = await container.start();
  onTestFinished(async () => void (await started.stop({ remove: true, removeVolumes: true })));
}

it('carries events over the Kafka of the image', async () => {
  const kafka = new GenericContainer('openscf/kafka:local')
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://localhost:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${ports.kafka}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    })
    .withExposedPorts({ container: 9092, host: ports.kafka })
    .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage(/Kafka Server started/)]));
  await start(kafka);

  const bus = new Bus({ brokers: [`127.0.0.1:${ports.kafka}`], clientId: 'spec', logger: silentLogger() });
  onTestFinished(() => bus.close());
  const topic = { ...topics.events, name: 'spec.events' };
  await bus.ensureTopics([topic]);
  const event = anAsyncEvent();
  await bus.publish(topic, [{ key: event.requestId, value: event }]);
  const seen: string[] = [];
  bus.consume({
    topic,
    groupId: 'spec',
    concurrency: 1,
    handle: async ({ value }) => void seen.push(value.requestId),
  });
  await eventually(() => seen.length > 0, { timeoutMs: 30_000 });
  expect(seen).toEqual([event.requestId]);
});

it('keeps rows in the PostgreSQL of the image', async () => {
  const postgres = new GenericContainer('openscf/postgres:local')
    .withEnvironment({
      POSTGRES_USER: 'openscf',
      POSTGRES_DB: 'openscf',
      POSTGRES_PASSWORD_FILE: '/run/password',
    })
    .withCopyContentToContainer([{ content: 'secret', target: '/run/password' }])
    .withExposedPorts({ container: 5432, host: ports.postgres })
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/));
  await start(postgres);

  const database = new Database<{ thing: { id: string } }>({
    url: `postgres://openscf:secret@127.0.0.1:${ports.postgres}/openscf`,
    schema: 'spec',
    migrations: {
      '0001-thing': { up: async (db) => void (await sql`create table thing (id text)`.execute(db)) },
    },
    logger: silentLogger(),
  });
  onTestFinished(() => database.close());
  await database.prepare();
  await database.kysely.insertInto('thing').values({ id: 'first' }).execute();
  expect(await database.kysely.selectFrom('thing').selectAll().execute()).toEqual([{ id: 'first' }]);
});

it('keeps objects in the MinIO of the image', async () => {
  const minio = new GenericContainer('openscf/minio:local')
    .withCommand(['server', '/data'])
    .withEnvironment({ MINIO_ROOT_USER: 'spec', MINIO_ROOT_PASSWORD: 'specsecret' })
    .withExposedPorts({ container: 9000, host: ports.minio })
    .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000));
  await start(minio);

  const url = `http://127.0.0.1:${ports.minio}`;
  const store = new ObjectStore({ url, accessKey: 'spec', secretKey: 'specsecret' });
  const bucket = uniqueName('spec');
  await store.ensureBucket(bucket);
  await store.put(bucket, 'greeting', Buffer.from('hello'));
  expect((await buffer(await store.get(bucket, 'greeting'))).toString()).toBe('hello');
});
