import { createHash, createHmac } from 'node:crypto';

export interface Signed {
  host: string;
  action: string;
  body: string;
  secretId: string;
  secretKey: string;
}

/** Headers of a signed Cloud API request (TC3-HMAC-SHA256), good for five minutes. Written from SCF's public description. */
export function signedHeaders({ host, action, body, secretId, secretKey }: Signed): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000);
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10);
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const canonical = [
    'POST',
    '/',
    '',
    `content-type:application/json\nhost:${host}\n`,
    'content-type;host',
    hash(body),
  ];
  const scope = `${date}/scf/tc3_request`;
  const text = ['TC3-HMAC-SHA256', timestamp, scope, hash(canonical.join('\n'))].join('\n');
  const key = hmac(hmac(hmac(`TC3${secretKey}`, date), 'scf'), 'tc3_request');
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return {
    Host: host,
    'Content-Type': 'application/json',
    'X-TC-Action': action,
    'X-TC-Version': '2018-04-16',
    'X-TC-Region': 'ap-guangzhou',
    'X-TC-Timestamp': String(timestamp),
    Authorization: `TC3-HMAC-SHA256 Credential=${secretId}/${scope}, SignedHeaders=content-type;host, Signature=${signature}`,
  };
}
