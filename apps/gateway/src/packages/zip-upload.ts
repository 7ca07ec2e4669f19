import { createHash, randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { CallerError, UnavailableError, type Upload } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { ObjectStore } from '@openscf/object-store';
import { settlesWithin } from './deadline.js';

/** What is used of the object store. */
export type UploadStore = Pick<ObjectStore, 'put' | 'remove'>;

export interface ZipUploadOptions {
  store: UploadStore;
  bucket: string;
  maxBytes: number;
  /** Told of an object that could not be removed; the registry's sweeper will. */
  onLeftBehind(objectKey: string, error: unknown): void;
}

/** A zip up to this size waits in memory and becomes one put; a larger one is sent in parts while it arrives. */
const MEMORY_BYTES = 4 * 1024 * 1024;
const PREFIX = 'uploads';
const STORE_TIMEOUT_MS = 20_000;
/** The answer waits so long for a clean store; a store that is away must not delay it further. */
const DISCARD_WAIT_MS = 2_000;

/**
 * One zip on its way into the object store. States: in memory → (grown large) streaming → stored | discarded.
 * Invariants: (1) nothing is readable in the store before `store` was called, which the gateway does only after the signature was found
 * right; (2) after `discard` nothing is left; (3) at most MEMORY_BYTES and the store's own part are held.
 */
export class ZipUpload {
  private readonly objectKey = `${PREFIX}/${randomUUID()}`;
  private readonly sha256 = createHash('sha256');
  private sizeBytes = 0;
  private held: Buffer[] = [];
  private stream: PassThrough | undefined;
  private stored: Promise<void> | undefined;
  private failure: unknown;

  constructor(private readonly options: ZipUploadOptions) {}

  /** Takes more of the zip. Throws a CallerError when it has become too large. */
  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.sizeBytes += bytes.length;
    const { maxBytes } = this.options;
    if (this.sizeBytes > maxBytes) {
      const message = `ZipFile has more than ${maxBytes} bytes: it must be at most that.`;
      throw new CallerError(errorCodes.requestTooLarge, message);
    }
    this.sha256.update(bytes);
    if (this.stream) {
      this.stream.write(bytes);
      return;
    }
    this.held.push(bytes);
    if (this.sizeBytes > MEMORY_BYTES) this.beginStream();
  }

  /** Resolves when more can be written without growing memory. Rejects when the store has failed. */
  async writable(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const { stream, stored } = this;
    if (!stream?.writableNeedDrain || !stored) return;
    const drained = new Promise<void>((resolve) => stream.once('drain', resolve));
    await Promise.race([drained, stored]);
    if (this.failure !== undefined) throw this.failure;
  }

  /** Completes the object. Resolves with what the registry needs to find it. */
  async store(): Promise<Upload> {
    const { store, bucket } = this.options;
    this.stream?.end();
    const stored = this.stored ?? store.put(bucket, this.objectKey, Buffer.concat(this.held, this.sizeBytes));
    this.stored = stored;
    this.held = [];
    if (!(await settlesWithin(STORE_TIMEOUT_MS, stored))) {
      throw new UnavailableError(
        `The object store did not take ZipFile within ${STORE_TIMEOUT_MS} ms; try again later.`,
      );
    }
    if (this.failure !== undefined) throw this.failure;
    return { objectKey: this.objectKey, sizeBytes: this.sizeBytes, sha256: this.sha256.digest('hex') };
  }

  /** Leaves nothing behind, whatever was done before; resolves then, or when the store takes too long over it. Never throws. */
  async discard(reason: Error): Promise<void> {
    this.held = [];
    if (this.stored === undefined) return;
    this.stream?.destroy(reason);
    await settlesWithin(DISCARD_WAIT_MS, this.removeStored(this.stored));
  }

  get isEmpty(): boolean {
    return this.sizeBytes === 0;
  }

  private async removeStored(stored: Promise<void>): Promise<void> {
    try {
      await stored;
    } catch {
      // It was given up half way: that is what was asked for.
    }
    try {
      await this.options.store.remove(this.options.bucket, this.objectKey);
    } catch (error) {
      this.options.onLeftBehind(this.objectKey, error);
    }
  }

  private beginStream(): void {
    const stream = new PassThrough();
    // The store hears of it and rejects `stored`; without a listener of our own an early failure would be uncaught.
    stream.on('error', () => undefined);
    this.stream = stream;
    for (const bytes of this.held) stream.write(bytes);
    this.held = [];
    const { store, bucket } = this.options;
    this.stored = store
      .put(bucket, this.objectKey, stream, { contentType: 'application/zip' })
      .catch((error: unknown) => {
        this.failure = error;
      });
  }
}
