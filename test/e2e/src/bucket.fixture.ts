import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { uniqueName } from './function.fixture.js';
import { objects } from './platform.js';
import { until } from './until.js';

/** A new bucket; it is removed with all that is in it when the test has ended. */
export async function makeBucket(): Promise<string> {
  const bucket = uniqueName('e2e');
  await objects.makeBucket(bucket);
  onTestFinished(async () => {
    const keys = await keysOf(bucket);
    if (keys.length > 0) await objects.removeObjects(bucket, keys);
    await objects.removeBucket(bucket);
  });
  return bucket;
}

export async function keysOf(bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const item of objects.listObjectsV2(bucket, '', true) as AsyncIterable<{ name: string }>)
    keys.push(item.name);
  return keys.sort();
}

/** The object's bytes, as soon as it is there. */
export async function objectOf(bucket: string, key: string, timeoutMs = 30_000): Promise<Buffer> {
  return until(`${bucket}/${key}`, async () => buffer(await objects.getObject(bucket, key)), timeoutMs);
}
