import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { UnavailableError } from '@openscf/contracts';
import { eventually, sharedParts, startOwnParts, uniqueName } from '@openscf/testing';
import { Client, NotificationConfig, QueueConfig } from 'minio';
import { beforeAll, describe, expect, it } from 'vitest';
import { ObjectNotFoundError, ObjectStore } from './index.js';

const { minio } = sharedParts();
const store = new ObjectStore(minio);
const bucket = uniqueName('spec');
const IMMEDIATE = 'arn:minio:sqs::IMMEDIATE:kafka';
const DURABLE = 'arn:minio:sqs::DURABLE:kafka';

beforeAll(async () => {
  await Promise.all([store.ensureBucket(bucket), store.ensureBucket(bucket)]);
});

describe('objects', () => {
  it.each([
    ['a buffer', () => Buffer.from('hello world')],
    ['a stream without a size', () => Readable.from([Buffer.from('hello '), Buffer.from('world')])],
  ])('writes %s and reads it back, as a whole and in part', async (_what, body) => {
    const key = `folder/${uniqueName('object')} ü+&.txt`;
    await store.put(bucket, key, body(), { contentType: 'text/plain' });
    expect((await buffer(await store.get(bucket, key))).toString()).toBe('hello world');
    expect((await buffer(await store.getRange(bucket, key, 6, 5))).toString()).toBe('world');
    expect(await store.stat(bucket, key)).toMatchObject({ key, sizeBytes: 11, contentType: 'text/plain' });
  });

  it('streams what is larger than a part', async () => {
    const size = 20 * 1024 * 1024;
    const chunk = Buffer.alloc(1024 * 1024, 7);
    const stream = Readable.from(Array.from({ length: size / chunk.length }, () => chunk));
    await store.put(bucket, 'large', stream);
    expect((await store.stat(bucket, 'large')).sizeBytes).toBe(size);
    await store.remove(bucket, 'large');
  });

  it('leaves nothing behind when the stream fails', async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.alloc(1024);
        await Promise.resolve();
        throw new Error('client hung up');
      })(),
    );
    await expect(store.put(bucket, 'half', failing)).rejects.toThrow('client hung up');
    await expect(store.stat(bucket, 'half')).rejects.toThrow(ObjectNotFoundError);
  });

  it('copies, lists, removes, and gives a URL to read', async () => {
    await store.put(bucket, 'list/a b', Buffer.from('one'));
    await store.copy(bucket, 'list/a b', 'list/c');
    const keys: string[] = [];
    for await (const { key, sizeBytes } of store.list(bucket, 'list/')) keys.push(`${key} ${sizeBytes}`);
    expect(keys).toEqual(['list/a b 3', 'list/c 3']);
    const response = await fetch(await store.presignedGet(bucket, 'list/c', 60));
    expect(await response.text()).toBe('one');
    await store.remove(bucket, 'list/c');
    await store.remove(bucket, 'list/c');
    await expect(store.get(bucket, 'list/c')).rejects.toThrow(ObjectNotFoundError);
  });

  it('tells a missing bucket', async () => {
    expect(await store.bucketExists(uniqueName('none'))).toBe(false);
    await expect(store.put(uniqueName('none'), 'key', Buffer.from('x'))).rejects.toThrow(ObjectNotFoundError);
  });
});

describe('notifications', () => {
  it('replaces our rules and keeps those of others', async () => {
    const url = new URL(minio.url);
    const client = new Client({
      endPoint: url.hostname,
      port: Number(url.port),
      useSSL: false,
      accessKey: minio.accessKey,
      secretKey: minio.secretKey,
    });
    const theirs = new QueueConfig(DURABLE);
    theirs.setId('theirs');
    theirs.addEvent('s3:ObjectRemoved:*');
    theirs.addFilterPrefix('their/');
    const config = new NotificationConfig();
    config.add(theirs);
    await client.setBucketNotification(bucket, config);

    const ours = {
      id: 'openscf-1',
      arn: IMMEDIATE,
      events: ['s3:ObjectCreated:*'],
      prefix: 'in/',
      suffix: '.jpg',
    };
    const more = { id: 'openscf-2', arn: DURABLE, events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:Delete'] };
    const kept = { id: 'theirs', arn: DURABLE, events: ['s3:ObjectRemoved:*'], prefix: 'their/' };
    await store.setNotifications(bucket, [ours]);
    expect(await store.getNotifications(bucket)).toEqual(expect.arrayContaining([ours, kept]));
    await store.setNotifications(bucket, [{ ...more, events: ['s3:ObjectCreated:*'], prefix: 'other/' }]);
    const now = await store.getNotifications(bucket);
    expect(now.map(({ id }) => id).sort()).toEqual(['openscf-2', 'theirs']);
    await store.setNotifications(bucket, []);
    expect(await store.getNotifications(bucket)).toEqual([kept]);
  });

  it('refuses a rule whose id is not ours', async () => {
    const rule = { id: 'mine', arn: IMMEDIATE, events: ['s3:ObjectCreated:*'] };
    await expect(store.setNotifications(bucket, [rule])).rejects.toThrow('rule id is "mine"; it accepts');
  });
});

describe('an outage', () => {
  it('fails soon with UnavailableError and works again by itself', async () => {
    const parts = await startOwnParts(['minio']);
    try {
      const { keys, urls } = parts;
      const own = new ObjectStore({
        url: urls.minio,
        accessKey: keys.minioRootUser,
        secretKey: keys.minioRootPassword,
      });
      await own.ensureBucket('spec');
      await own.put('spec', 'key', Buffer.from('kept'));
      await parts.stopOne('minio');
      const startedAt = Date.now();
      await expect(own.get('spec', 'key')).rejects.toThrow(UnavailableError);
      await expect(own.put('spec', 'key', Buffer.from('new'))).rejects.toThrow(UnavailableError);
      expect(Date.now() - startedAt).toBeLessThan(5_000);
      expect(await own.isReachable()).toBe(false);
      await parts.startAgain('minio');
      const read = async (): Promise<string> => (await buffer(await own.get('spec', 'key'))).toString();
      expect(await eventually(read, { timeoutMs: 30_000 })).toBe('kept');
    } finally {
      await parts.stop();
    }
  });
});
