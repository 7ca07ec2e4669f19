import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { signTc3 } from '@openscf/scf-api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeGateway, SECRET_ID, SECRET_KEY, startFakeGateway, succeeded } from './gateway.fake.js';

let gateway: FakeGateway;
beforeEach(async () => {
  gateway = await startFakeGateway();
});
afterEach(() => gateway.close());

interface Answer {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  body: { Response: { Error?: { Code: string; Message: string }; RequestId: string } };
}

function headersFor(
  action: string,
  body: string | Buffer,
  more: http.OutgoingHttpHeaders = {},
): http.OutgoingHttpHeaders {
  const host = `127.0.0.1:${gateway.port}`;
  return { ...signTc3({ action, body, host, secretId: SECRET_ID, secretKey: SECRET_KEY }), ...more };
}

/** Sends exactly these headers and this body. */
async function send(options: {
  method?: string;
  path?: string;
  headers: http.OutgoingHttpHeaders;
  body?: string | Buffer;
}): Promise<Answer> {
  const { method = 'POST', path = '/', headers, body = '' } = options;
  const request = http.request({
    host: '127.0.0.1',
    port: gateway.port,
    method,
    path,
    headers,
    agent: false,
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) as Answer['body'] };
}

const INVOKE = '{"FunctionName":"hello","Event":"{}"}';

describe('an answer', () => {
  it('is 200 and application/json without charset, with the request id and the trace id of the client', async () => {
    const answer = await send({
      headers: headersFor('InvokeFunction', INVOKE, { 'x-tc-traceid': 'trace-1' }),
      body: INVOKE,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['x-tc-traceid']).toBe('trace-1');
    expect(answer.body.Response.RequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.body.Response.Error).toBeUndefined();
  });

  it.each<
    [string, { method?: string; headers?: http.OutgoingHttpHeaders; body?: string; action?: string }, string]
  >([
    ['an action that is not there', { action: 'MakeCoffee' }, 'InvalidAction'],
    ['an action of Object', { action: 'constructor' }, 'InvalidAction'],
    ['another version', { headers: { 'x-tc-version': '2017-03-12' } }, 'NoSuchVersion'],
    ['no version', { headers: { 'x-tc-version': undefined } }, 'MissingParameter'],
    ['no action', { headers: { 'x-tc-action': undefined } }, 'MissingParameter'],
    ['GET', { method: 'GET', body: '' }, 'UnsupportedProtocol'],
    ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'UnsupportedProtocol'],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 'UnsupportedProtocol'],
    ['no signature', { headers: { authorization: undefined } }, 'AuthFailure.InvalidAuthorization'],
    ['skipped signing', { headers: { authorization: 'SKIP' } }, 'AuthFailure.InvalidAuthorization'],
    ['a body that is no JSON', { body: '{' }, 'InvalidParameter'],
    ['a list', { body: '[]' }, 'InvalidParameter'],
    ['no body', { body: '' }, 'MissingParameter'],
  ])(
    'for %s is an error of the protocol',
    async (_what, { method, headers, body = INVOKE, action = 'InvokeFunction' }, code) => {
      const signed = headersFor(action, body, headers);
      for (const name of Object.keys(signed)) if (signed[name] === undefined) delete signed[name];
      const answer = await send({ ...(method && { method }), headers: signed, body });
      expect(answer.status).toBe(200);
      expect(answer.body.Response.Error?.Code).toBe(code);
      expect(answer.body.Response.RequestId).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('refuses a body that was altered on its way', async () => {
    const altered = INVOKE.replace('hello', 'hullo');
    const answer = await send({ headers: headersFor('InvokeFunction', INVOKE), body: altered });
    expect(answer.body.Response.Error?.Code).toBe('AuthFailure.SignatureFailure');
  });

  it('takes UNSIGNED-PAYLOAD when that was signed, and only then', async () => {
    const unsigned = { 'x-tc-content-sha256': 'UNSIGNED-PAYLOAD' };
    const signed = await send({
      headers: headersFor('InvokeFunction', 'UNSIGNED-PAYLOAD', unsigned),
      body: INVOKE,
    });
    expect(signed.body.Response.Error).toBeUndefined();
    const answer = await send({ headers: headersFor('InvokeFunction', INVOKE, unsigned), body: INVOKE });
    expect(answer.body.Response.Error?.Code).toBe('AuthFailure.SignatureFailure');
  });

  it('leaves everything that is not the Cloud API to the framework', async () => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/health`);
    expect(response.status).toBe(404);
  });
});

describe('a body', () => {
  it('in chunks is taken without a Content-Length', async () => {
    const headers = headersFor('InvokeFunction', INVOKE, { 'transfer-encoding': 'chunked' });
    expect((await send({ headers, body: INVOKE })).body.Response.Error).toBeUndefined();
  });

  it('is not asked for when the head is refused', async () => {
    const headers = headersFor('CreateFunction', '{}', {
      expect: '100-continue',
      'content-length': 90 * 1024 * 1024,
    });
    const request = http.request({
      host: '127.0.0.1',
      port: gateway.port,
      method: 'POST',
      headers,
      agent: false,
    });
    const asked = vi.fn();
    request.on('continue', asked).on('error', () => undefined);
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
    expect(text).toContain('RequestSizeLimitExceeded');
    expect(asked).not.toHaveBeenCalled();
    request.destroy();
  });

  it('is asked for when the head is in order', async () => {
    const headers = headersFor('InvokeFunction', INVOKE, {
      expect: '100-continue',
      'content-length': INVOKE.length,
    });
    const request = http.request({
      host: '127.0.0.1',
      port: gateway.port,
      method: 'POST',
      headers,
      agent: false,
    });
    request.on('continue', () => request.end(INVOKE));
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(Buffer.concat((await response.toArray()) as Buffer[]).toString()).toContain('"InvokeResult":0');
  });

  it('that stops half way leaves nothing of its zip', async () => {
    const body = JSON.stringify({
      FunctionName: 'hello',
      Code: { ZipFile: Buffer.alloc(9 * 1024 * 1024).toString('base64') },
    });
    const request = http.request({
      host: '127.0.0.1',
      port: gateway.port,
      method: 'POST',
      headers: headersFor('UpdateFunctionCode', body, { 'content-length': body.length }),
      agent: false,
    });
    request.on('error', () => undefined);
    request.write(body.slice(0, 8 * 1024 * 1024), () => request.destroy());
    await vi.waitFor(() => expect(gateway.store.abandoned).toBe(1));
    await vi.waitFor(() => expect(gateway.api.inFlight).toBe(0));
    expect(gateway.store.objects.size).toBe(0);
    expect(gateway.commands).toEqual([]);
  });
});

it('tells the dispatcher when the client hangs up', async () => {
  const aborted = new Promise<void>((resolve) => {
    gateway.dispatch = (_call, event, signal) =>
      new Promise((done) => {
        signal?.addEventListener('abort', () => {
          resolve();
          done(succeeded(event.toString()));
        });
        socket.destroy();
      });
  });
  const socket = net.connect(gateway.port, '127.0.0.1');
  await once(socket, 'connect');
  const headers = Object.entries(headersFor('InvokeFunction', INVOKE)).map(
    ([name, value]) => `${name}: ${String(value)}`,
  );
  socket.write(
    `POST / HTTP/1.1\r\n${headers.join('\r\n')}\r\ncontent-length: ${INVOKE.length}\r\n\r\n${INVOKE}`,
  );
  await aborted;
});

it('answers what is under way while it drains, and closes the connection with it', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  gateway.dispatch = async () => {
    await held;
    return succeeded('1');
  };
  const answer = send({ headers: headersFor('InvokeFunction', INVOKE), body: INVOKE });
  await vi.waitFor(() => expect(gateway.api.inFlight).toBe(1));
  const drained = gateway.drain(Date.now() + 10_000);
  await expect(fetch(`http://127.0.0.1:${gateway.port}/`)).rejects.toThrow();
  release();
  expect((await answer).headers.connection).toBe('close');
  await drained;
});
