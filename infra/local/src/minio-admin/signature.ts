// AWS Signature Version 4, as far as MinIO's admin API needs it.
import { createHash, createHmac } from 'node:crypto';

export interface AdminCall {
  method: 'GET' | 'PUT' | 'POST';
  host: string;
  path: string;
  query: Record<string, string>;
  body: Buffer;
}

/** Headers that sign the call. `now` is the time of the call. */
export function signedHeaders(
  call: AdminCall,
  accessKey: string,
  secretKey: string,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const headers = { host: call.host, 'x-amz-content-sha256': sha256(call.body), 'x-amz-date': time };
  const names = Object.keys(headers).join(';');
  const canonical = [
    call.method,
    call.path,
    queryText(call.query),
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer>((secret, text) => hmac(secret, text), Buffer.from(`AWS4${secretKey}`));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString(
    'hex',
  );
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

export function queryText(query: Record<string, string>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(query[name] ?? '')}`)
    .join('&');
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
