import type { Readable } from 'node:stream';
import type { BucketItem, Client, ItemBucketMetadata } from 'minio';
import { connectMinio } from './minio.client.js';
import { mapObjectStoreError } from './map-error.js';
import { applyRules, readRules } from './notification.policy.js';
import type { NotificationRule, ObjectInfo, ObjectStoreOptions, PutOptions } from './object-store.types.js';

/** Rejects when the stream fails: the client pipes it and would wait for ever. */
function failureOf(stream: Readable): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (stream.errored) reject(stream.errored);
    else stream.once('error', reject);
  });
}

/**
 * Objects and buckets. Every method throws ObjectNotFoundError when the object or bucket is not there, and UnavailableError when
 * the store is away.
 */
export class ObjectStore {
  private connecting: Promise<Client> | undefined;

  constructor(private readonly options: ObjectStoreOptions) {}

  /**
   * Writes an object; it is there as a whole or not at all, also when the stream fails or is destroyed with an error half way. A
   * stream without `sizeBytes` is sent in parts of 8 MB.
   */
  put(bucket: string, key: string, body: Readable | Buffer, options: PutOptions = {}): Promise<void> {
    return this.run(bucket, key, async (client) => {
      const metadata: ItemBucketMetadata = options.contentType ? { 'Content-Type': options.contentType } : {};
      if (Buffer.isBuffer(body)) {
        await client.putObject(bucket, key, body, body.length, metadata);
        return;
      }
      try {
        await Promise.race([
          failureOf(body),
          client.putObject(bucket, key, body, options.sizeBytes, metadata),
        ]);
      } catch (error) {
        await client.removeIncompleteUpload(bucket, key).catch(() => undefined);
        throw error;
      }
    });
  }

  /** The object's bytes. Read or destroy the stream: it holds a connection. */
  get(bucket: string, key: string): Promise<Readable> {
    return this.run(bucket, key, (client) => client.getObject(bucket, key));
  }

  getRange(bucket: string, key: string, offset: number, length: number): Promise<Readable> {
    return this.run(bucket, key, (client) => client.getPartialObject(bucket, key, offset, length));
  }

  stat(bucket: string, key: string): Promise<ObjectInfo> {
    return this.run(bucket, key, async (client) => {
      const found = await client.statObject(bucket, key);
      const contentType: unknown = found.metaData['content-type'];
      return {
        key,
        sizeBytes: found.size,
        etag: found.etag,
        lastModifiedMs: found.lastModified.getTime(),
        ...(typeof contentType === 'string' && { contentType }),
      };
    });
  }

  /** Removing what is not there is no error. */
  remove(bucket: string, key: string): Promise<void> {
    return this.run(bucket, key, (client) => client.removeObject(bucket, key));
  }

  /** All objects below a prefix, in the order of their keys. */
  async *list(bucket: string, prefix = ''): AsyncGenerator<ObjectInfo> {
    const client = await this.client();
    try {
      for await (const item of client.listObjectsV2(bucket, prefix, true) as AsyncIterable<BucketItem>) {
        if (item.name === undefined) continue;
        yield {
          key: item.name,
          sizeBytes: item.size,
          etag: item.etag ?? '',
          lastModifiedMs: item.lastModified?.getTime() ?? 0,
        };
      }
    } catch (error) {
      throw mapObjectStoreError(error, bucket, prefix);
    }
  }

  copy(bucket: string, fromKey: string, toKey: string, fromBucket = bucket): Promise<void> {
    return this.run(fromBucket, fromKey, async (client) => {
      await client.copyObject(bucket, toKey, `/${fromBucket}/${fromKey}`);
    });
  }

  /** A URL that anyone may read the object with for so long (at most 7 days). */
  presignedGet(bucket: string, key: string, seconds: number): Promise<string> {
    return this.run(bucket, key, (client) => client.presignedGetObject(bucket, key, seconds));
  }

  bucketExists(bucket: string): Promise<boolean> {
    return this.run(bucket, '', (client) => client.bucketExists(bucket));
  }

  /** Makes the bucket when it is missing. */
  ensureBucket(bucket: string): Promise<void> {
    return this.run(bucket, '', async (client) => {
      if (await client.bucketExists(bucket)) return;
      try {
        await client.makeBucket(bucket, this.options.region ?? '');
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'BucketAlreadyOwnedByYou'))
          throw error;
      }
    });
  }

  /** Every queue rule of the bucket, also those that are not ours. */
  getNotifications(bucket: string): Promise<NotificationRule[]> {
    return this.run(bucket, '', async (client) => readRules(await client.getBucketNotification(bucket)));
  }

  /**
   * Makes `rules` the platform's rules of the bucket (ids begin with `OWN_RULE_PREFIX`); rules of others stay as they are. Reading and
   * writing are two steps, so let one process at a time do it for a bucket.
   */
  setNotifications(bucket: string, rules: readonly NotificationRule[]): Promise<void> {
    return this.run(bucket, '', async (client) => {
      const present = await client.getBucketNotification(bucket);
      await client.setBucketNotification(bucket, applyRules(present, rules));
    });
  }

  /** For readiness: true when the store answers. */
  async isReachable(): Promise<boolean> {
    try {
      await (await this.client()).bucketExists('openscf-reachable');
      return true;
    } catch {
      return false;
    }
  }

  private client(): Promise<Client> {
    this.connecting ??= connectMinio(this.options);
    return this.connecting;
  }

  private async run<T>(bucket: string, key: string, fn: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await fn(await this.client());
    } catch (error) {
      throw mapObjectStoreError(error, bucket, key);
    }
  }
}
