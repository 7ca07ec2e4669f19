import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type http from 'node:http';
import type { Socket } from 'node:net';
import type { WebResponse } from '@openscf/contracts';
import { signTc3 } from '@openscf/scf-api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeGateway, SECRET_ID, SECRET_KEY, succeeded } from '../cloud-api/gateway.fake.js';
import { type FakeUrls, mirror, respond, startFakeUrls, URL_HOST } from './function-url.fake.js';

let fake: FakeUrls;
let gateway: FakeGateway;
beforeEach(async () => {
  fake = await startFakeUrls();
  ({ gateway } = fake);
});
afterEach(() => fake.close());

const SWITCHED: WebResponse = {
  status: 101,
  headers: [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
  ],
};

describe('a WebSocket', () => {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  };

  async function connect(headers: http.OutgoingHttpHeaders) {
    const sent = fake.request({ headers: { host: URL_HOST, ...headers } });
    sent.end();
    return (await once(sent, 'upgrade')) as [http.IncomingMessage, Socket, Buffer];
  }

  it('is passed on to a function with ProtocolType WS, both ways', async () => {
    fake.addFunction({ functionName: 'chat', webSocketIdleMs: 15_000 });
    gateway.addUrl({ functionName: 'chat' });
    let headers: string[][] = [];
    fake.serve = (exchange) => {
      headers = exchange.call.web.headers;
      return mirror(exchange, SWITCHED);
    };
    const [response, socket] = await connect(upgrade);
    expect(response.statusCode).toBe(101);
    expect(response.headers['upgrade']).toBe('websocket');
    expect(headers).toContainEqual(['Upgrade', 'websocket']);
    const bytes = randomBytes(3_000_000);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.end(bytes);
    await once(socket, 'close');
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
  });

  it('is refused with the reason by the function, and for a function that takes none', async () => {
    fake.addFunction({ functionName: 'chat', webSocketIdleMs: 15_000 });
    gateway.addUrl({ functionName: 'chat' });
    fake.serve = (exchange) =>
      Promise.resolve(respond(exchange, { status: 401, headers: [['a', 'b']] }, 'who?'));
    const refusedByFunction = await fake.send({ headers: { host: URL_HOST, ...upgrade } });
    expect([refusedByFunction.status, refusedByFunction.text]).toEqual([401, 'who?']);
    gateway.addUrl({ functionName: 'site' });
    const other = await fake.send({ headers: { host: URL_HOST, ...upgrade } });
    expect([other.status, other.text]).toEqual([400, expect.stringContaining('ProtocolType WS')]);
  });

  it('is opened by a signed request, and by no other, where the URL asks for it', async () => {
    fake.addFunction({ functionName: 'chat', webSocketIdleMs: 15_000 });
    gateway.addUrl({ functionName: 'chat', authType: 'CAM' });
    fake.serve = (exchange) => mirror(exchange, SWITCHED);
    const refusedByGateway = await fake.send({ headers: { host: URL_HOST, ...upgrade } });
    expect([refusedByGateway.status, refusedByGateway.text]).toEqual([
      401,
      expect.stringContaining('Authorization is missing'),
    ]);
    const signed = signTc3({
      action: 'InvokeFunctionUrl',
      method: 'GET',
      body: '',
      host: URL_HOST,
      secretId: SECRET_ID,
      secretKey: SECRET_KEY,
    });
    const [response, socket] = await connect({ ...upgrade, ...signed });
    expect(response.statusCode).toBe(101);
    socket.end('x');
    const [echoed] = (await once(socket, 'data')) as [Buffer];
    expect(echoed.toString()).toBe('x');
  });

  it('ends for the function when its client is gone before it was opened', async () => {
    fake.addFunction({ functionName: 'chat', webSocketIdleMs: 15_000 });
    gateway.addUrl({ functionName: 'chat' });
    const events: string[] = [];
    fake.serve = (exchange) =>
      new Promise((resolve) => {
        events.push('asked');
        exchange.attach({
          onData: () => undefined,
          onEnd: () => undefined,
          onGrant: () => undefined,
          onCancel: () => {
            events.push('canceled');
            resolve(succeeded('{}'));
          },
        });
      });
    const sent = fake.request({ headers: { host: URL_HOST, ...upgrade } });
    sent.on('error', () => undefined);
    sent.end();
    await vi.waitFor(() => expect(events).toEqual(['asked']));
    sent.destroy();
    await vi.waitFor(() => expect(events).toEqual(['asked', 'canceled']));
  });

  it('leaves other upgrades unanswered, as the protocol allows', async () => {
    gateway.addUrl({ functionName: 'site' });
    const h2c = await fake.send({
      headers: { host: URL_HOST, connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' },
    });
    expect(h2c.status).toBe(200);
    expect(h2c.text).not.toContain('h2c');
  });
});
