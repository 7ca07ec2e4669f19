import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeObjectStore } from '../cloud-api/gateway.fake.js';
import { ZipUpload } from './zip-upload.js';

const MB = 1024 * 1024;

function uploadTo(store: FakeObjectStore, maxBytes = 50 * MB) {
  const leftBehind = vi.fn();
  return { upload: new ZipUpload({ store, bucket: 'b', maxBytes, onLeftBehind: leftBehind }), leftBehind };
}

async function write(upload: ZipUpload, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) {
    upload.write(bytes.subarray(at, at + 64 * 1024));
    await upload.writable();
  }
}

afterEach(() => vi.useRealTimers());

describe('an upload', () => {
  it.each([1, 4 * MB, 4 * MB + 1, 13 * MB])('of %i bytes is stored as it came', async (size) => {
    const store = new FakeObjectStore();
    const { upload } = uploadTo(store);
    const content = Buffer.alloc(size, 'abcdefg');
    await write(upload, content);
    expect(store.objects.size).toBe(0);
    const { objectKey, sizeBytes, sha256 } = await upload.store();
    expect(objectKey).toMatch(/^uploads\/[0-9a-f-]{36}$/);
    expect(sizeBytes).toBe(size);
    expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
    expect(store.objects.get(objectKey)?.equals(content)).toBe(true);
    await upload.discard(new Error('refused'));
    expect(store.objects.size).toBe(0);
  });

  it('that is given up half way leaves nothing', async () => {
    const store = new FakeObjectStore();
    const { upload } = uploadTo(store);
    await write(upload, Buffer.alloc(6 * MB));
    await upload.discard(new Error('client went away'));
    expect([store.objects.size, store.abandoned]).toEqual([0, 1]);
  });

  it('is refused as soon as it is too large', () => {
    const { upload } = uploadTo(new FakeObjectStore(), 10);
    upload.write(Buffer.alloc(10));
    expect(() => upload.write(Buffer.alloc(1))).toThrowError(
      expect.objectContaining({ code: 'RequestSizeLimitExceeded' }),
    );
  });

  it('fails with what the store says', async () => {
    const store = new FakeObjectStore();
    store.failure = new Error('store is away');
    const { upload } = uploadTo(store);
    await expect(write(upload, Buffer.alloc(9 * MB))).rejects.toThrow('store is away');
    await upload.discard(new Error('refused'));
  });

  it('waits neither for ever for a store that hangs, nor when it is discarded', async () => {
    vi.useFakeTimers();
    const store = new FakeObjectStore();
    store.put = () => new Promise<never>(() => undefined);
    const { upload } = uploadTo(store);
    upload.write(Buffer.alloc(1));
    const stored = expect(upload.store()).rejects.toMatchObject({ code: 'InternalError.System' });
    await vi.advanceTimersByTimeAsync(20_000);
    await stored;
    const discarded = upload.discard(new Error('refused'));
    await vi.advanceTimersByTimeAsync(2_000);
    await discarded;
  });
});
