import { PlatformError, UnavailableError } from '@openscf/contracts';
import { ObjectNotFoundError } from './object-store.errors.js';

const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchBucket', 'NoSuchVersion']);
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'SlowDown',
  'SlowDownRead',
  'SlowDownWrite',
  'ServiceUnavailable',
  'XMinioServerNotInitialized',
  'InternalError',
  'RequestTimeout',
]);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Turns the client's errors into ours once; anything else stays what it was. */
export function mapObjectStoreError(error: unknown, bucket: string, key: string): unknown {
  if (error instanceof PlatformError) return error;
  const codes = error instanceof AggregateError ? error.errors.map(codeOf) : [codeOf(error)];
  if (codes.some((code) => MISSING.has(code))) return new ObjectNotFoundError(bucket, key, error);
  if (codes.some((code) => AWAY.has(code))) {
    const reason = codes.find((code) => AWAY.has(code)) ?? '';
    return new UnavailableError(`The object store is not available: ${reason}`, error);
  }
  return error;
}
