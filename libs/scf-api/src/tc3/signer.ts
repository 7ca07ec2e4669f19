import { hash } from 'node:crypto';
import { API_VERSION } from '../limits.js';
import { canonicalRequestHash, deriveSigningKey, signatureOf } from './signature.js';

export interface ToSign {
  action: string;
  /** The exact body that will be sent. */
  body: string | Buffer;
  /** The Host header that will be sent. */
  host: string;
  /** Of a request to a function's URL; the Cloud API's are `POST`, `/` and none. */
  method?: string;
  path?: string;
  query?: string;
  secretId: string;
  secretKey: string;
  region?: string;
  /** Defaults to now. */
  nowMs?: number;
}

/** The headers of a signed request, all of which must be sent as they are. */
export function signTc3(request: ToSign): Record<string, string> {
  const timestamp = String(Math.floor((request.nowMs ?? Date.now()) / 1000));
  const date = new Date(Number(timestamp) * 1000).toISOString().slice(0, 10);
  const scope = { timestamp, date, service: 'scf' };
  const signedHeaders = 'content-type;host';
  const lines = `content-type:application/json\nhost:${request.host}\n`;
  const bodySha256 = hash('sha256', request.body);
  const { method = 'POST', path = '/', query = '' } = request;
  const requestHash = canonicalRequestHash({ method, path, query }, lines, signedHeaders, bodySha256);
  const key = deriveSigningKey(request.secretKey, date, scope.service);
  const signature = signatureOf(key, scope, requestHash).toString('hex');
  return {
    host: request.host,
    'content-type': 'application/json',
    'x-tc-action': request.action,
    'x-tc-version': API_VERSION,
    'x-tc-region': request.region ?? 'ap-guangzhou',
    'x-tc-timestamp': timestamp,
    authorization: `TC3-HMAC-SHA256 Credential=${request.secretId}/${date}/${scope.service}/tc3_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}
