import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Authorization, RequestHeaders } from './authorization.js';

/** What X-TC-Content-SHA256 says when a client has signed this word in place of its body; and the hash that it has signed then. */
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
export const UNSIGNED_PAYLOAD_SHA256 = hash('sha256', UNSIGNED_PAYLOAD);

/** What a signature covers besides the body. */
export interface SignedRequest {
  method: string;
  /** The path of the URL, as sent; the Cloud API has only `/`. */
  path?: string;
  /** The part of the URL after `?`, as sent; empty without one. */
  query: string;
  headers: RequestHeaders;
}

function hmac(key: string | Buffer | KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** The key of one day and service; deriving it takes three of the four HMACs of a check, so it is worth keeping. */
export function deriveSigningKey(secretKey: string, date: string, service: string): Buffer {
  return hmac(hmac(hmac(`TC3${secretKey}`, date), service), 'tc3_request');
}

/** SHA-256 (hex) of the canonical request. `headers` are the lines `name:value\n` of the signed headers. */
export function canonicalRequestHash(
  request: Pick<SignedRequest, 'method' | 'path' | 'query'>,
  headers: string,
  signedHeaders: string,
  bodySha256: string,
): string {
  return hash(
    'sha256',
    `${request.method}\n${request.path ?? '/'}\n${request.query}\n${headers}\n${signedHeaders}\n${bodySha256}`,
  );
}

export function signatureOf(
  key: Buffer | KeyObject,
  scope: { timestamp: string; date: string; service: string },
  requestHash: string,
): Buffer {
  const text = `TC3-HMAC-SHA256\n${scope.timestamp}\n${scope.date}/${scope.service}/tc3_request\n${requestHash}`;
  return hmac(key, text);
}

const PORT = /:\d{1,5}$/;

/**
 * How the clients write the values that they sign (scf-api section 3): the host with its port (Python, Go, Java, tccli) or without
 * (Node.js), values as sent (the SDKs) or in lower case (the written protocol).
 */
const spellings = [
  (_name: string, value: string) => value,
  (name: string, value: string) => (name === 'host' ? value.replace(PORT, '') : value),
  (_name: string, value: string) => value.toLowerCase(),
  (name: string, value: string) => (name === 'host' ? value.replace(PORT, '') : value).toLowerCase(),
] as const;

function headerLines(request: SignedRequest, names: string, spell: (typeof spellings)[number]): string {
  let lines = '';
  for (const name of names.split(';')) {
    const value = request.headers[name];
    lines += `${name}:${spell(name, (Array.isArray(value) ? value.join(',') : (value ?? '')).trim())}\n`;
  }
  return lines;
}

/** A derived key that remembers how its client spells headers, so that the right spelling is tried first. */
export class SigningKey {
  #spelling = 0;
  /** A key object: an HMAC with it takes a sixth of the time of one with the same bytes in a buffer. */
  readonly #key: KeyObject;

  constructor(secretKey: string, date: string, service: string) {
    this.#key = createSecretKey(deriveSigningKey(secretKey, date, service));
  }

  /**
   * Whether this key signed the request with this body. The comparison takes the same time wherever the signatures differ.
   * `bodySha256`: hex of the bytes received, or UNSIGNED_PAYLOAD_SHA256 when the client signed that.
   */
  matches(request: SignedRequest, authorization: Authorization, bodySha256: string): boolean {
    const given = Buffer.from(authorization.signature, 'hex');
    const tried = new Set<string>();
    for (let i = 0; i < spellings.length; i += 1) {
      const index = (this.#spelling + i) % spellings.length;
      const spell = spellings[index];
      if (spell === undefined) continue;
      const lines = headerLines(request, authorization.signedHeaders, spell);
      if (tried.has(lines)) continue;
      tried.add(lines);
      const requestHash = canonicalRequestHash(request, lines, authorization.signedHeaders, bodySha256);
      if (timingSafeEqual(signatureOf(this.#key, authorization, requestHash), given)) {
        this.#spelling = index;
        return true;
      }
    }
    return false;
  }
}
