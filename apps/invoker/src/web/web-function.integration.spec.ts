import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { functionKey, type FunctionState, type WebRequest } from '@openscf/contracts';
import type { DispatchResult, OutgoingWebRequest } from '@openscf/dispatch';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RuntimeCatalog } from '../instance/runtime-catalog.js';
import { createSandboxDriver } from '../instance/sandbox-driver.factory.js';
import { InvokerFake } from '../invoker.fake.js';
import { closeFrame } from './websocket.scanner.js';

const cache = process.env['OPENSCF_CACHE'] ?? join(homedir(), '.cache/openscf');
const OWNER = `web-spec-${process.pid}`;

const BOOTSTRAP = '#!/bin/bash\nexec /var/lang/node20/bin/node app.js\n';
/** A server as anyone writes it; nothing in it knows of the platform. */
const APP = `
const http = require('node:http');
const { createHash } = require('node:crypto');
const { setTimeout: delay } = require('node:timers/promises');
let running = 0, most = 0;
const server = http.createServer(async (req, res) => {
  const url = new URL(req.url, 'http://x');
  switch (url.pathname) {
    case '/echo': return req.pipe(res);
    case '/headers': return res.setHeader('x-own', 'yes').end(JSON.stringify(req.headers));
    case '/big': {
      const hash = createHash('sha256');
      for (let i = 0; i < 20; i++) {
        const part = Buffer.alloc(1024 * 1024, i);
        hash.update(part);
        if (!res.write(part)) await new Promise((resolve) => res.once('drain', resolve));
      }
      console.log('sent ' + hash.digest('hex'));
      return res.end();
    }
    case '/events':
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < 3; i++) { res.write('data: ' + i + '\\n\\n'); await delay(150); }
      return res.end();
    case '/slow': {
      const tag = url.searchParams.get('tag');
      console.log('begin ' + tag);
      most = Math.max(most, ++running);
      await delay(Number(url.searchParams.get('ms')));
      running--;
      console.log('end ' + tag);
      return res.end(process.pid + ' ' + most);
    }
    case '/exit': process.exit(7);
    default: res.writeHead(404).end('nothing here');
  }
});
server.on('upgrade', (req, socket) => {
  const key = req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  // Short masked frames only: sends the text back unmasked, and closes when asked.
  socket.on('data', (frame) => {
    const payload = frame.subarray(6).map((byte, i) => byte ^ frame[2 + (i % 4)]);
    socket.write(Buffer.concat([Buffer.from([frame[0], payload.length]), payload]));
    if ((frame[0] & 15) === 8) socket.end();
  });
});
server.listen(9000, '0.0.0.0', () => console.log('listening'));
`;

interface Sent {
  status: number;
  headers: WebRequest['headers'];
  pieces: { at: number; bytes: Buffer }[];
  request: OutgoingWebRequest;
  outcome: Promise<DispatchResult>;
  text(): string;
}

/** A web function in its sandbox, with the agent in front of it: what no fake can show. */
describe('a web function on runc', () => {
  let invoker: InvokerFake;
  let folder: string;
  let state: FunctionState;
  let requests = 0;
  let onWritable: () => void = () => undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-web-'));
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'app.js'), APP, { mode: 0o644 });
    await writeFile(join(folder, 'scf_bootstrap'), BOOTSTRAP, { mode: 0o755 });
    const catalog = await RuntimeCatalog.load(join(cache, 'runtimes/runtimes.json'));
    const runtime = catalog.get('Nodejs20.19');
    const driver = await createSandboxDriver('runc', {
      owner: OWNER,
      relays: [],
      publicEgress: false,
      readyNetworks: 2,
    });
    invoker = await InvokerFake.start(
      driver,
      runtime === undefined ? [] : [runtime],
      { memoryMb: 1024 },
      { packages: { acquire: () => Promise.resolve({ directory: folder, release: () => undefined }) } },
    );
    state = await deploy('site', { instanceConcurrency: 10, timeoutMs: 30_000 });
  });

  afterAll(async () => {
    await invoker.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function deploy(name: string, change: Partial<FunctionState>): Promise<FunctionState> {
    return invoker.deploy(name, {}, { type: 'HTTP', runtime: 'Nodejs20.19', ...change });
  }

  function send(
    target: string,
    options: { method?: string; headers?: WebRequest['headers']; to?: FunctionState; open?: boolean } = {},
  ): Sent & { requestId: string } {
    const { method = 'GET', headers = [], to = state, open = false } = options;
    const requestId = `web-${++requests}`;
    const { promise, resolve } = Promise.withResolvers<DispatchResult>();
    const pieces: Sent['pieces'] = [];
    const sent: Sent & { requestId: string } = {
      status: 0,
      headers: [],
      pieces,
      requestId,
      outcome: promise,
      text: () => Buffer.concat(pieces.map(({ bytes }) => bytes)).toString(),
      request: invoker.dispatcher.request(
        {
          requestId,
          functionKey: functionKey(to),
          revision: to.revision,
          invocationType: 'RequestResponse',
          retryNum: 0,
          source: 'http',
          qualifier: '$DEFAULT',
          logTail: false,
          web: { method, target, headers: [['host', 'site.localhost'], ...headers] },
        },
        { timeoutMs: 40_000 },
        {
          onResponse: (response) => Object.assign(sent, response),
          onData: (bytes) => {
            pieces.push({ at: performance.now(), bytes: Buffer.from(bytes) });
            sent.request.consumed(bytes.length);
          },
          onEnd: () => undefined,
          onWritable: () => onWritable(),
          onOutcome: resolve,
        },
      ),
    };
    if (!open) sent.request.end();
    return sent;
  }

  it('is started with its own server and sees the platform in the headers; a cold start is told', async () => {
    const sent = send('/headers?a=1', { headers: [['X-Mine', 'yes']] });
    const { outcome } = await sent.outcome;
    expect(outcome).toMatchObject({ kind: 'succeeded', coldStart: { reason: 'first' } });
    expect(sent.status).toBe(200);
    expect(sent.headers.find(([name]) => name.toLowerCase() === 'x-own')?.[1]).toBe('yes');
    expect(JSON.parse(sent.text())).toMatchObject({
      host: 'site.localhost',
      'x-mine': 'yes',
      'x-scf-request-id': sent.requestId,
      'x-scf-name': 'site',
      'x-scf-timeout': '30000',
    });
    await vi.waitFor(() => expect(invoker.linesOf(sent.requestId).join('\n')).toContain('listening'));
  });

  it('streams 20 MB out and 20 MB in and out, without holding them', async () => {
    const big = send('/big');
    expect((await big.outcome).outcome.kind).toBe('succeeded');
    const hash = createHash('sha256');
    for (const { bytes } of big.pieces) hash.update(bytes);
    const digest = hash.digest('hex');
    await vi.waitFor(() => expect(invoker.linesOf(big.requestId).join('\n')).toContain(digest));

    const bytes = randomBytes(20 * 1024 * 1024);
    const echo = send('/echo', { method: 'POST', open: true });
    for (let at = 0; at < bytes.length; at += 60_000) {
      const writable = new Promise<void>((resolve) => (onWritable = resolve));
      if (!echo.request.send(bytes.subarray(at, at + 60_000))) await writable;
    }
    echo.request.end();
    expect((await echo.outcome).outcome.kind).toBe('succeeded');
    expect(Buffer.concat(echo.pieces.map((piece) => piece.bytes)).equals(bytes)).toBe(true);
  });

  it('sends events when they happen', async () => {
    const sent = send('/events');
    await sent.outcome;
    expect(sent.text()).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n');
    const [first, last] = [sent.pieces[0]?.at ?? 0, sent.pieces.at(-1)?.at ?? 0];
    expect(last - first).toBeGreaterThan(250);
  });

  it('serves requests at once in one instance, and keeps what they print apart', async () => {
    const sent = ['a', 'b', 'c', 'd'].map((tag, i) => send(`/slow?tag=${tag}&ms=${200 - i * 30}`));
    await Promise.all(sent.map(({ outcome }) => outcome));
    const [pids, most] = [0, 1].map((i) => new Set(sent.map((one) => one.text().split(' ')[i])));
    expect(pids?.size).toBe(1);
    expect([...(most ?? [])]).toEqual(['4']);
    for (const [i, tag] of ['a', 'b', 'c', 'd'].entries()) {
      await vi.waitFor(() =>
        expect(printed(invoker.linesOf(sent[i]?.requestId ?? ''))).toEqual([`begin ${tag}`, `end ${tag}`]),
      );
    }
  });

  it('is told when a caller hangs up, and goes on serving', async () => {
    const sent = send('/slow?tag=x&ms=5000');
    await vi.waitFor(() => expect(sent.request).toBeDefined());
    sent.request.cancel();
    expect((await sent.outcome).outcome).toMatchObject({ kind: 'refused', statusCode: 499 });
    expect((await send('/headers').outcome).outcome.kind).toBe('succeeded');
  });

  it('is ended at its time (433), and when its program exits (439); the next request is served', async () => {
    const short = await deploy('short', { timeoutMs: 500 });
    const late = send('/slow?tag=x&ms=5000', { to: short });
    expect((await late.outcome).outcome).toMatchObject({ kind: 'failed', statusCode: 433 });
    const exited = send('/exit', { to: short });
    expect((await exited.outcome).outcome).toMatchObject({ kind: 'failed', statusCode: 439 });
    const next = send('/nothing', { to: short });
    expect((await next.outcome).outcome.kind).toBe('succeeded');
    expect([next.status, next.text()]).toEqual([404, 'nothing here']);
  });

  it('speaks WebSocket, until it is closed or idle', async () => {
    const chat = await deploy('chat', { webSocketIdleMs: 1_000, timeoutMs: 10_000 });
    const upgrade: WebRequest['headers'] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['Sec-WebSocket-Version', '13'],
    ];
    const sent = send('/', { to: chat, open: true, headers: upgrade });
    await vi.waitFor(() => expect(sent.status).toBe(101), { timeout: 5_000 });
    expect(sent.headers.find(([name]) => name.toLowerCase() === 'sec-websocket-accept')?.[1]).toBe(
      's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    );
    sent.request.send(masked(0x81, 'hi'));
    await vi.waitFor(() => expect(sent.text()).toContain('hi'));
    sent.request.send(masked(0x88, '\u0003\u00e8'));
    expect((await sent.outcome).outcome).toMatchObject({ kind: 'succeeded' });

    const idle = send('/', { to: chat, open: true, headers: upgrade });
    expect((await idle.outcome).outcome).toMatchObject({ kind: 'failed', statusCode: 455 });
    expect(Buffer.concat(idle.pieces.map(({ bytes }) => bytes))).toEqual(
      closeFrame(1001, 'idle for too long'),
    );
  });
});

/** Without the platform's own lines and what the program printed at its start. */
function printed(lines: readonly string[]): string[] {
  return lines
    .filter((line) => /\b(begin|end) /.test(line))
    .map((line) => line.replace(/^.*\b(begin|end) /, '$1 '));
}

function masked(first: number, text: string): Buffer {
  const payload = Buffer.from(text, 'latin1');
  const mask = [1, 2, 3, 4];
  return Buffer.from([
    first,
    0x80 | payload.length,
    ...mask,
    ...payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0)),
  ]);
}
