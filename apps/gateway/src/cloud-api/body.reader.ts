import { createHash, hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CallerError } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { BodyLimit } from './body-limit.js';

/** A request ended before its body did: nobody is left to answer. */
export class RequestAbortedError extends Error {
  constructor() {
    super('the client went away before the request was complete');
    this.name = 'RequestAbortedError';
  }
}

export interface Body {
  bytes: Buffer;
  /** Hex, of the bytes as they came. */
  sha256: string;
}

/** Above it, hashing at once would hold up the other requests for a noticeable time. */
const HASH_AT_ONCE_BYTES = 64 * 1024;

/** Refuses by what the head says, before anything is read. */
export function checkContentLength(request: IncomingMessage, limit: BodyLimit): void {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limit.maxBytes) throw limit.tooLarge(length);
}

/** Reads a body that fits into memory. Rejects with a CallerError when it is too large, with RequestAbortedError when it never ends. */
export function readBody(request: IncomingMessage, limit: BodyLimit): Promise<Body> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let hashed: ReturnType<typeof createHash> | undefined;
    const done = () => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit.maxBytes) {
        done();
        reject(limit.tooLarge(size));
      } else if (hashed) hashed.update(chunk);
      else if (size > HASH_AT_ONCE_BYTES) {
        hashed = createHash('sha256');
        for (const held of chunks) hashed.update(held);
      }
    };
    const onEnd = () => {
      done();
      const [only = Buffer.alloc(0)] = chunks;
      const bytes = chunks.length > 1 ? Buffer.concat(chunks, size) : only;
      resolve({ bytes, sha256: hashed ? hashed.digest('hex') : hash('sha256', bytes) });
    };
    const onClose = () => {
      done();
      reject(new RequestAbortedError());
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** The body as an object. Throws a CallerError when it is none; what was sent is never part of the message. */
export function parseBody(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = bytes.length === 0 ? {} : JSON.parse(bytes.toString());
  } catch {
    throw new CallerError(errorCodes.invalid, 'The body is not JSON: it must be a JSON object.');
  }
  if (isObject(value)) return value;
  throw new CallerError(errorCodes.invalid, 'The body is JSON but not an object: it must be a JSON object.');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
