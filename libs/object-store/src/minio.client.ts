import http from 'node:http';
import https from 'node:https';
import type { Client } from 'minio';
import type { ObjectStoreOptions } from './object-store.types.js';

/** A connection that says nothing for so long is given up. */
const SILENCE_MS = 30_000;
const PART_BYTES = 8 * 1024 * 1024;

/** Node's http with a limit on silence: the client itself would wait for ever. */
function impatient(module: typeof http | typeof https): Pick<typeof http, 'request'> {
  const request = ((options: https.RequestOptions, callback: (response: http.IncomingMessage) => void) => {
    const outgoing = module.request(options, callback);
    outgoing.setTimeout(SILENCE_MS, () => {
      outgoing.destroy(Object.assign(new Error(`no answer within ${SILENCE_MS} ms`), { code: 'ETIMEDOUT' }));
    });
    return outgoing;
  }) as typeof http.request;
  return { request };
}

/** Loads the client on first use: importing it costs 240 ms, which a boot does not have to pay. */
export async function connectMinio(options: ObjectStoreOptions): Promise<Client> {
  const { Client: MinioClient } = await import('minio');
  const url = new URL(options.url);
  const useSSL = url.protocol === 'https:';
  const module = useSSL ? https : http;
  return new MinioClient({
    endPoint: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (useSSL ? 443 : 80)),
    useSSL,
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    // Given, so that the client does not ask for it before its first request to a bucket.
    region: options.region ?? 'us-east-1',
    pathStyle: true,
    partSize: PART_BYTES,
    transport: impatient(module),
    transportAgent: new module.Agent({ keepAlive: true, maxSockets: 64 }),
  });
}
