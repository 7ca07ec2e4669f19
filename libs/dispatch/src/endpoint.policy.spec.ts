import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DispatchServer } from './dispatch.server.js';
import { endpointOf, hostId } from './endpoint.policy.js';
import { InvokerClient } from './invoker.client.js';
import { refused } from './outcome.factory.js';

const address = '127.0.0.1:8093';
const tcp = { host: '127.0.0.1', port: 8093 };

describe('the way to an invoker', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openscf-endpoint-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is TCP where there is no other, on another host, and where the socket cannot be seen', () => {
    const path = join(folder, 'none.sock');
    expect(endpointOf({ address })).toEqual(tcp);
    expect(endpointOf({ address, local: { hostId: 'another', path: folder } })).toEqual(tcp);
    expect(endpointOf({ address, local: { hostId: hostId(), path } })).toEqual(tcp);
  });

  it('is the socket of the same host, which answers like the port and is gone with the server', async () => {
    const localPath = join(folder, 'dispatch.sock');
    const server = new DispatchServer({
      host: '127.0.0.1',
      port: 0,
      localPath,
      handle: (call) => Promise.resolve(refused(`seen ${call.requestId}`, { retryable: false })),
      handleWeb: () => Promise.resolve(refused('no web', { retryable: false })),
      logger: { info: () => undefined, warn: () => undefined },
    });
    const port = await server.listen();
    const endpoint = endpointOf({
      address: `127.0.0.1:${port}`,
      local: { hostId: hostId(), path: localPath },
    });
    expect(endpoint).toEqual({ path: localPath });
    const client = new InvokerClient(endpoint, () => undefined);
    const call = {
      requestId: 'r1',
      functionKey: 'f',
      revision: 1,
      invocationType: 'RequestResponse' as const,
      retryNum: 0,
      source: 'cloud-api' as const,
      qualifier: '$DEFAULT',
      logTail: false,
    };
    const delivery = await client.send(call, Buffer.from('{}'), 1_000);
    expect(delivery).toMatchObject({ kind: 'answered', result: { outcome: { message: 'seen r1' } } });
    client.close();
    await server.close();
    expect(endpointOf({ address, local: { hostId: hostId(), path: localPath } })).toEqual(tcp);
  });
});
