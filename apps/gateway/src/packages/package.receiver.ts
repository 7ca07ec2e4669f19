import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CallerError } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { Logger } from '@openscf/telemetry';
import { RequestAbortedError } from '../cloud-api/body.reader.js';
import type { BodyLimit } from '../cloud-api/body-limit.js';
import type { UploadSlots } from './upload-slots.js';
import { type UploadStore, ZipUpload } from './zip-upload.js';
import { ZipFieldScanner } from './zip-field.scanner.js';

export interface ReceiverOptions {
  store: UploadStore;
  bucket: string;
  slots: UploadSlots;
  logger: Logger;
}

/** A body whose zip was taken out. */
export interface ReceivedPackage {
  /** The JSON body with ZIP_TAKEN_OUT in place of the zip. */
  rest: Buffer;
  /** Hex, of the body as it came. */
  sha256: string;
  /** Undefined when the request has no zip. Whoever has it must `store` or `discard` it. */
  upload: ZipUpload | undefined;
  /** To be called when the upload is stored or discarded. */
  release(): void;
}

/** Bodies that are certainly small take no slot. */
const SLOT_FROM_BYTES = 6 * 1024 * 1024;

/** Reads requests that carry a zip, in memory that does not grow with it. */
export class PackageReceiver {
  constructor(private readonly options: ReceiverOptions) {}

  /**
   * Rejects with a CallerError as soon as something is known to be too large or no base64, with RequestAbortedError when the body never
   * ends, and with UnavailableError when the object store is away. Then nothing is left behind.
   */
  async receive(request: IncomingMessage, limit: BodyLimit, maxZipBytes: number): Promise<ReceivedPackage> {
    const release = await this.slotFor(request);
    const upload = this.newUpload(maxZipBytes);
    try {
      const { rest, sha256, found } = await readInto(upload, request, limit);
      if (found && upload.isEmpty) {
        throw new CallerError(
          errorCodes.badZipFile,
          'ZipFile is empty: it must be the base64 text of a zip.',
        );
      }
      return { rest, sha256, upload: found ? upload : undefined, release };
    } catch (error) {
      await upload.discard(error instanceof Error ? error : new Error('the upload failed'));
      release();
      throw error;
    }
  }

  private async slotFor(request: IncomingMessage): Promise<() => void> {
    const length = request.headers['content-length'];
    const isSmall = length !== undefined && Number(length) < SLOT_FROM_BYTES;
    return isSmall ? () => undefined : this.options.slots.take();
  }

  private newUpload(maxBytes: number): ZipUpload {
    const { store, bucket, logger } = this.options;
    const onLeftBehind = (objectKey: string, error: unknown) => {
      logger.warn({ objectKey, error }, 'upload could not be removed');
    };
    return new ZipUpload({ store, bucket, maxBytes, onLeftBehind });
  }
}

async function readInto(upload: ZipUpload, request: IncomingMessage, limit: BodyLimit) {
  const sha256 = createHash('sha256');
  const scanner = new ZipFieldScanner((bytes) => upload.write(bytes));
  let size = 0;
  try {
    // The request stays open when the loop is left: it still has to be answered.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit.maxBytes) throw limit.tooLarge(size);
      sha256.update(chunk);
      scanner.push(chunk);
      await upload.writable();
    }
  } catch (error) {
    if (request.destroyed && !request.complete) throw new RequestAbortedError();
    throw error;
  }
  return { rest: scanner.rest(), sha256: sha256.digest('hex'), found: scanner.found };
}
