import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type http from 'node:http';
import { WEB_WINDOW_BYTES } from '@openscf/contracts';
import { refused, throttled, type DispatchResult, type WebExchange } from '@openscf/dispatch';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeGateway, succeeded } from '../cloud-api/gateway.fake.js';
import {
  echo,
  type FakeUrls,
  mirror,
  readAnswer,
  respond,
  startFakeUrls,
  URL_HOST,
} from './function-url.fake.js';

const byHost = { headers: { host: URL_HOST } };

let fake: FakeUrls;
let gateway: FakeGateway;
beforeEach(async () => {
  fake = await startFakeUrls();
  ({ gateway } = fake);
});
afterEach(() => fake.close());

describe('a function URL', () => {
  it('reaches a web function by host name and by path, with the head as it was sent', async () => {
    gateway.addUrl({ functionName: 'site' });
    const named = await fake.send({
      path: '/a/b?c=1',
      headers: { host: URL_HOST, 'X-Mine': 'yes', 'x-scf-uin': 'forged' },
    });
    expect(named.status).toBe(200);
    expect(named.headers['x-scf-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(named.headers['x-scf-status']).toBe('200');
    const { web } = JSON.parse(named.text) as {
      web: { target: string; method: string; headers: string[][] };
    };
    expect([web.method, web.target]).toEqual(['GET', '/a/b?c=1']);
    expect(web.headers).toEqual([
      ['host', URL_HOST],
      ['X-Mine', 'yes'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Real-Ip', '127.0.0.1'],
      ['X-Scf-Remote-Addr', '127.0.0.1'],
    ]);
    const pathed = await fake.send({ path: '/url/1250000000-abc123/a/b?c=1', method: 'DELETE' });
    expect(JSON.parse(pathed.text)).toMatchObject({ web: { method: 'DELETE', target: '/a/b?c=1' } });
  });

  it('is 404 where there is none, 403 while it is switched off, and says why a function cannot be called', async () => {
    const unknown = await fake.send(byHost);
    expect([unknown.status, JSON.parse(unknown.text)]).toEqual([
      404,
      {
        errorCode: 'ResourceNotFound.Trigger',
        errorMessage: 'There is no function URL 1250000000-abc123 here.',
        requestId: unknown.headers['x-scf-request-id'],
      },
    ]);
    gateway.addUrl({ functionName: 'site', enabled: false });
    expect((await fake.send(byHost)).status).toBe(403);
    gateway.addUrl({ functionName: 'gone' });
    expect((await fake.send(byHost)).status).toBe(404);
    gateway.addUrl({ functionName: 'site', qualifier: '7' });
    expect((await fake.send(byHost)).text).toContain('no version');
    expect((await fake.send({ headers: { host: URL_HOST.replace('125', '126') } })).status).toBe(404);
  });

  it('calls the version that its trigger names', async () => {
    fake.addFunction({ functionName: 'site', version: '1', revision: 3 });
    gateway.addUrl({ functionName: 'site', qualifier: '1' });
    const seen = vi.fn();
    fake.serve = (exchange) => {
      seen(exchange.call);
      return echo(exchange);
    };
    await fake.send(byHost);
    expect(seen.mock.calls[0]?.[0]).toMatchObject({
      functionKey: 'default/site/1',
      revision: 3,
      qualifier: '1',
      source: 'http',
      acceptedAt: expect.any(Number) as number,
    });
  });

  it('carries 20 MB each way, chunked, with a function that does not wait', async () => {
    gateway.addUrl({ functionName: 'site' });
    const bytes = randomBytes(20 * 1024 * 1024);
    fake.serve = mirror;
    const sent = fake.request({ ...byHost, method: 'POST' });
    const [answer] = await Promise.all([
      once(sent, 'response').then(async ([response]) => {
        const hash = createHash('sha256');
        for await (const chunk of response as AsyncIterable<Buffer>) hash.update(chunk);
        return hash.digest('hex');
      }),
      (async () => {
        for (let at = 0; at < bytes.length; at += 300_000) {
          if (!sent.write(bytes.subarray(at, at + 300_000))) await once(sent, 'drain');
        }
        sent.end();
      })(),
    ]);
    expect(answer).toBe(createHash('sha256').update(bytes).digest('hex'));
  }, 20_000);

  it('holds a function up whose client does not read', async () => {
    gateway.addUrl({ functionName: 'site' });
    let sentBytes = 0;
    fake.serve = (exchange) =>
      new Promise((resolve) => {
        const push = (bytes: number): void => {
          sentBytes += bytes;
          exchange.data(Buffer.alloc(bytes));
        };
        exchange.respond({ status: 200, headers: [] });
        exchange.attach({
          onData: () => undefined,
          onEnd: () => undefined,
          onGrant: push,
          onCancel: () => resolve(succeeded('{}')),
        });
        push(WEB_WINDOW_BYTES);
      });
    const sent = fake.request(byHost);
    sent.end();
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    response.pause();
    // Until nothing more is sent: what the kernel holds differs between machines.
    let before = -1;
    await vi.waitFor(
      () => {
        const isStill = sentBytes === before;
        before = sentBytes;
        expect(isStill).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
    sent.destroy();
  }, 15_000);

  it('gives server-sent events as they come, and tells the function when the client has gone', async () => {
    gateway.addUrl({ functionName: 'site' });
    const gone = vi.fn();
    let emit = (_text: string): void => undefined;
    fake.serve = (exchange) =>
      new Promise((resolve) => {
        exchange.attach({
          onData: () => undefined,
          onEnd: () => undefined,
          onGrant: () => undefined,
          onCancel: () => {
            gone();
            resolve(succeeded('{}'));
          },
        });
        exchange.respond({ status: 200, headers: [['Content-Type', 'text/event-stream']] });
        emit = (text) => exchange.data(Buffer.from(text));
      });
    const sent = fake.request(byHost);
    sent.end();
    // The head comes although no event has.
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      emit(text);
      const [chunk] = (await once(response, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(text);
    }
    response.destroy();
    await vi.waitFor(() => expect(gone).toHaveBeenCalledTimes(1));
  });

  it('takes Expect: 100-continue and HEAD', async () => {
    gateway.addUrl({ functionName: 'site' });
    const sent = fake.request({
      method: 'PUT',
      headers: { host: URL_HOST, expect: '100-continue', 'content-length': 4 },
    });
    sent.flushHeaders();
    await once(sent, 'continue');
    sent.end('body');
    const { text } = await readAnswer(sent);
    expect(JSON.parse(text)).toMatchObject({ sha256: createHash('sha256').update('body').digest('hex') });
    fake.serve = (exchange) =>
      Promise.resolve(respond(exchange, { status: 200, headers: [['Content-Length', '99']] }));
    const head = await fake.send({ ...byHost, method: 'HEAD' });
    expect([head.headers['content-length'], head.text]).toEqual(['99', '']);
  });

  it('answers what the function did not: the platform full, away, or the function failed', async () => {
    gateway.addUrl({ functionName: 'site' });
    fake.serve = () => Promise.resolve(throttled('concurrency exceeded'));
    const full = await fake.send(byHost);
    expect([full.status, full.headers['x-scf-status'], full.headers['retry-after']]).toEqual([
      429,
      '432',
      '1',
    ]);
    fake.serve = () => Promise.resolve(refused('no disk', { retryable: true }));
    expect((await fake.send(byHost)).status).toBe(503);
    const failed = (statusCode: number): DispatchResult => ({
      outcome: {
        kind: 'failed',
        statusCode,
        message: 'x',
        durationMs: 1,
        billedMs: 1,
        memoryBytes: 1,
        log: '',
      },
      body: Buffer.from('{"errorCode":-1}'),
    });
    fake.serve = () => Promise.resolve(failed(433));
    const late = await fake.send(byHost);
    expect([late.status, late.headers['x-scf-status'], late.text]).toEqual([504, '433', '{"errorCode":-1}']);
    fake.serve = (exchange) => {
      exchange.respond({ status: 200, headers: [] });
      exchange.data(Buffer.from('half'));
      return Promise.resolve(failed(439));
    };
    await expect(fake.send(byHost)).rejects.toThrow(/aborted|socket hang up/);
    fake.serve = (exchange) => Promise.resolve(respond(exchange, { status: 200, headers: [['a', 'b\nc']] }));
    expect((await fake.send(byHost)).status).toBe(502);
  });

  it('adds CORS, and answers preflights itself', async () => {
    const cors = {
      origins: ['https://a.example'],
      methods: ['PUT'],
      headers: [],
      exposeHeaders: [],
      maxAgeSeconds: 0,
      credentials: false,
    };
    gateway.addUrl({ functionName: 'site', cors });
    const served = vi.fn((exchange: WebExchange) =>
      Promise.resolve(respond(exchange, { status: 200, headers: [['Access-Control-Allow-Origin', '*']] })),
    );
    fake.serve = served;
    const asks = { host: URL_HOST, origin: 'https://a.example', 'access-control-request-method': 'PUT' };
    const preflight = await fake.send({ method: 'OPTIONS', headers: asks });
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'PUT']);
    expect(served).not.toHaveBeenCalled();
    const plain = await fake.send({ headers: { host: URL_HOST, origin: 'https://a.example' } });
    expect(plain.headers['access-control-allow-origin']).toBe('https://a.example');
  });
});
