import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, agentProgram, freePort, type CodeFile } from './agent-process.fake.js';

let agent: AgentProcess | undefined;

beforeAll(() => void agentProgram(), 120_000);

afterEach(async () => {
  await agent?.stop();
  agent = undefined;
});

const bootstrap = '#!/bin/bash\nexec node app.js';

/** An app that does what the path says. */
const app = readFileSync(fileURLToPath(new URL('./testdata/web-app.cjs', import.meta.url)), 'utf8');

async function start(
  files: Record<string, CodeFile>,
  init: Record<string, unknown> = {},
): Promise<AgentProcess> {
  agent = await AgentProcess.start('web', files);
  const port = await freePort();
  const environment = { AT: String(port), ...(init['environment'] as object | undefined) };
  expect(await agent.init({ port, ...init, environment })).toBeUndefined();
  return agent;
}

const startApp = (init?: Record<string, unknown>): Promise<AgentProcess> =>
  start({ scf_bootstrap: bootstrap, 'app.js': app }, init);

describe('a web function', () => {
  it('gets the request as it was sent, and nothing more', async () => {
    const web = await startApp();
    const { status, body } = await web.fetch(
      'POST',
      '/echo?a=%20b&c',
      { 'X-Own': 'café', Cookie: 'a=b' },
      'boüdy',
    );
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      method: 'POST',
      url: '/echo?a=%20b&c',
      headers: expect.objectContaining({ 'x-own': 'café', cookie: 'a=b', 'content-length': '6' }) as unknown,
      rawHeaders: [
        ...['Host', 'example.test', 'X-Scf-Request-Id', 'request-1', 'Content-Length', '6'],
        ...['X-Own', 'café', 'Cookie', 'a=b'],
      ],
      body: 'boüdy',
    });
  });

  it('has its response passed on, without what belongs to the connection', async () => {
    const web = await startApp();
    const request = web.request('GET', '/lines');
    request.end();
    const { status, headers } = await request.response;
    expect(status).toBe(201);
    expect(headers).toMatchObject({ 'x-latin': 'café "q"', 'content-length': '2', 'set-cookie': 'b=2' });
    expect(Object.keys(headers)).not.toContain('connection');
    expect(Object.keys(headers)).not.toContain('keep-alive');
    expect((await request.body()).toString()).toBe('ok');
  });

  it.each([
    ['HEAD', '/head', 200],
    ['GET', '/status?204', 204],
    ['GET', '/status?304', 304],
    ['POST', '/status?500', 500],
    ['GET', '/interim', 200],
    ['GET', '/no-length', 200],
    ['DELETE', '/echo', 200],
  ])('answers %s %s with %i', async (method, target, status) => {
    const web = await startApp();
    const response = await web.fetch(method, target);
    expect(response.status).toBe(status);
    if (target === '/head')
      expect(response).toMatchObject({ body: '', headers: { 'content-length': '1000' } });
    if (target === '/interim') expect(response.body).toBe('final');
    if (target === '/no-length') expect(response.body).toBe('to the end');
    expect((await web.fetch('GET', '/hello')).body).toBe('hello');
  });

  it('streams 10 MB down, as fast as it is taken and no faster', async () => {
    const web = await startApp();
    const request = web.request('GET', '/down');
    request.stopGranting();
    request.end();
    await request.until(() => request.receivedBytes === 256 * 1024);
    // The rest waits in the sockets between the agent and the app, and in the app.
    const pushed = Number((await web.fetch('GET', '/pushed')).body);
    expect(pushed).toBeLessThan(10 * 1024 * 1024);
    expect(request.receivedBytes).toBe(256 * 1024);
    request.grantAgain();
    const body = await request.body();
    expect(body.length).toBe(160 * 65536);
    expect(request.largestPiece).toBeLessThanOrEqual(65536);
    expect(body.every((byte, at) => at % 4096 !== 0 || byte === (at >> 16) % 256)).toBe(true);
  });

  it.each(['with a length', 'without one'])('streams 10 MB up, %s', async (how) => {
    const web = await startApp();
    const all = Buffer.alloc(10_000_000, 'abcdefg');
    const request = web.request(
      'POST',
      '/up',
      how === 'with a length' ? { 'Content-Length': '10000000' } : {},
    );
    await request.send(all);
    request.end();
    const md5 = createHash('md5').update(all).digest('hex');
    expect((await request.body()).toString()).toBe(`10000000 ${md5}`);
  });

  it('that does not read its request stops the caller', async () => {
    const web = await startApp();
    const request = web.request('POST', '/slow-up', { 'Content-Length': '50000000' });
    const sending = request.send(Buffer.alloc(50_000_000));
    await request.response;
    const { body } = await web.fetch('GET', '/hello');
    expect(body).toBe('hello');
    expect(request.sentBytes).toBeLessThan(50_000_000);
    await web.fetch('GET', '/release');
    await sending;
    expect(request.sentBytes).toBe(50_000_000);
  });

  it('answers while the request still comes', async () => {
    const web = await startApp();
    const request = web.request('POST', '/duplex', { 'Transfer-Encoding': 'chunked' });
    await request.response;
    await request.send('one');
    expect(await request.bodyWith('one')).toBe('one');
    await request.send('two');
    expect(await request.bodyWith('two')).toBe('two');
    request.end();
    expect((await request.body()).toString()).toBe('');
  });

  it('may refuse a body before it has come', async () => {
    const web = await startApp();
    const request = web.request('POST', '/refuse', { 'Content-Length': '5000000' });
    expect((await request.response).status).toBe(413);
    expect((await request.body()).toString()).toBe('too much');
    expect((await web.fetch('GET', '/hello')).body).toBe('hello');
  });

  it('sends events at once, and sees that the client is gone', async () => {
    const web = await startApp();
    const request = web.request('GET', '/events');
    request.end();
    expect(await request.bodyWith('data: 1\n\n')).toBe('data: 1\n\n');
    await web.fetch('GET', '/next-event');
    expect(await request.bodyWith('data: 2\n\n')).toBe('data: 2\n\n');
    request.abort();
    await web.until(() => web.output.includes('client gone'));
  });

  it('carries a connection that was upgraded, until both sides have closed it', async () => {
    const web = await startApp();
    const request = web.request('GET', '/ws', { Connection: 'Upgrade', Upgrade: 'websocket' });
    expect(await request.response).toMatchObject({
      status: 101,
      headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': 'x' },
    });
    expect(await request.bodyWith('hello')).toBe('hello');
    await request.send('ping');
    expect(await request.bodyWith('ping')).toBe('ping');
    const large = Buffer.alloc(2_000_000, 'x');
    const before = request.receivedBytes;
    await request.send(large);
    await request.until(() => request.receivedBytes === before + large.length);
    expect(request.taken().equals(large)).toBe(true);
    request.end();
    await request.body();
    await web.until(() => web.output.includes('client closed'));
    const again = web.request('GET', '/ws', { Connection: 'Upgrade', Upgrade: 'websocket' });
    await again.bodyWith('hello');
    again.abort();
    await web.until(() => web.output.split('socket closed').length === 3);
  });

  it('may refuse an upgrade', async () => {
    const web = await startApp();
    const request = web.request('GET', '/no', { Connection: 'Upgrade', Upgrade: 'websocket' });
    expect((await request.response).status).toBe(403);
    expect((await request.body()).toString()).toBe('no');
  });

  it('keeps its connections, for as many requests as there are at once', async () => {
    const web = await startApp();
    for (let i = 0; i < 20; i++) await web.fetch('POST', '/echo', {}, `body ${i}`);
    expect((await web.fetch('GET', '/connections')).body).toBe('1');
    const bodies = await Promise.all(
      Array.from({ length: 50 }, (_, i) => web.fetch('POST', '/echo', {}, `body ${i}`)),
    );
    expect(bodies.map(({ body }) => (JSON.parse(body) as { body: string }).body)).toEqual(
      Array.from({ length: 50 }, (_, i) => `body ${i}`),
    );
  });

  it('may close its connections', async () => {
    const web = await startApp();
    for (let i = 0; i < 5; i++) expect((await web.fetch('GET', '/once')).body).toBe('closed');
    expect((await web.fetch('POST', '/echo', {}, 'x')).status).toBe(200);
  });

  it.each([
    ['/drop', 'bad-response', /closed the connection before its response was complete/],
    ['/raw', 'bad-response', /not HTTP\/1\.1: it begins with "SSH-2\.0/],
    ['/large-head', 'response-headers-too-large', /4096/],
    ['/huge-head', 'response-headers-too-large', /4096/],
    ['/die', 'exited', /scf_bootstrap exited with code 9/],
  ])('that fails with %s is named: %s', async (target, reason, message) => {
    const web = await startApp();
    const request = web.request('GET', target);
    request.end();
    const failure = await request.failure();
    expect(failure).toMatchObject({ reason });
    expect(failure['message']).toMatch(message);
    if (reason === 'exited') expect(await web.exited()).toBe(9);
    else expect((await web.fetch('GET', '/hello')).body).toBe('hello');
  });

  it.each(['/cut', '/die-midway'])(
    'that breaks off with %s is not taken for one that ended',
    async (target) => {
      const web = await startApp();
      const request = web.request('GET', target);
      request.end();
      await request.bodyWith('part');
      expect(await request.failure()).toHaveProperty('reason');
      expect(request.ended).toBe(false);
    },
  );
});

describe('a web function that is killed', () => {
  it('ends the agent as it ended: the invoker knows whether it was for memory', async () => {
    const web = await startApp();
    const request = web.request('GET', '/kill');
    request.end();
    expect(await web.exited()).toBe(137);
    expect(request.failed).toBeUndefined();
  });
});

describe('a web function that closes connections', () => {
  // Closes each connection right after its first answer, without having said so.
  const rude = `
const net = require('net');
let count = 0;
net.createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => {
    count++;
    const text = String(count);
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text, () => socket.destroy());
  });
}).listen(Number(process.env.AT));`;

  it('gets every request once, and none fails', async () => {
    const web = await start({ scf_bootstrap: bootstrap, 'app.js': rude });
    for (let i = 1; i <= 30; i++) expect((await web.fetch('POST', '/', {}, 'x')).body).toBe(String(i));
  });

  // Reads the second request of a connection and then closes it: it may have been carried out.
  const forgetful = `
const net = require('net');
let seen = 0;
net.createServer((socket) => {
  let first = true;
  socket.on('error', () => {});
  socket.on('data', () => {
    seen++;
    if (!first) return socket.destroy();
    first = false;
    const text = String(seen);
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text);
  });
}).listen(Number(process.env.AT));`;

  it('has a request repeated that may be repeated, and no other', async () => {
    const web = await start({ scf_bootstrap: bootstrap, 'app.js': forgetful });
    expect((await web.fetch('GET', '/')).body).toBe('1');
    expect((await web.fetch('GET', '/')).body).toBe('3');
    const request = web.request('POST', '/', { 'Content-Length': '1' });
    await request.send('x');
    expect(await request.failure()).toMatchObject({ reason: 'bad-response' });
    expect((await web.fetch('GET', '/')).body).toBe('5');
  });
});

describe('a web function that serves one connection at a time', () => {
  it('gets to requests that overlap, although it keeps its connections open', async () => {
    const code = `
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')
http.server.HTTPServer(('127.0.0.1', int(os.environ['AT'])), Handler).serve_forever()`;
    const web = await start({ scf_bootstrap: '#!/bin/bash\nexec python3 app.py', 'app.py': code });
    const answers = await Promise.all(['/a', '/b', '/c'].map((target) => web.fetch('GET', target)));
    expect(answers.map(({ body }) => body)).toEqual(['ok', 'ok', 'ok']);
  }, 20_000);
});

describe('the start of a web function', () => {
  async function init(files: Record<string, CodeFile>, head: Record<string, unknown> = {}): Promise<unknown> {
    agent = await AgentProcess.start('web', files);
    return agent.init({ port: await freePort(), ...head });
  }

  it.each<[string, Record<string, CodeFile>, string, string]>([
    ['has no scf_bootstrap', { 'app.js': '' }, 'bootstrap-missing', 'scf_bootstrap does not exist'],
    ['has one with Windows line ends', { scf_bootstrap: '#!/bin/bash\r\n' }, 'bootstrap-missing', 'CRLF'],
    [
      'ends',
      { scf_bootstrap: '#!/bin/bash\nexit 2' },
      'exited',
      'exited with code 2 before it listened on port',
    ],
    [
      'names a missing command',
      { scf_bootstrap: '#!/bin/bash\nnope' },
      'exited',
      'a command in it was not found',
    ],
  ])('that %s is named', async (_what, files, reason, message) => {
    expect(await init(files)).toMatchObject({ reason, message: expect.stringContaining(message) as unknown });
  });

  it('that listens on another port is told which', async () => {
    const other = await freePort();
    const files = { scf_bootstrap: bootstrap, 'app.js': `require('http').createServer().listen(${other})` };
    const failed = (await init(files, { initTimeoutMs: 1500 })) as { message: string };
    expect(failed).toMatchObject({ reason: 'port-not-bound' });
    expect(failed.message).toMatch(new RegExp(`after 1500 ms; it listens on .*\\b${other}\\b`));
  });

  it('may put the server in the background', async () => {
    const web = await start({ scf_bootstrap: '#!/bin/bash\nnode app.js &', 'app.js': app });
    expect((await web.fetch('GET', '/hello')).body).toBe('hello');
  });

  it('works for a server on the loopback address of IPv6', async () => {
    const code = `require('http').createServer((q, r) => r.end('six')).listen(process.env.AT, '::1')`;
    const web = await start({ scf_bootstrap: bootstrap, 'app.js': code });
    expect((await web.fetch('GET', '/')).body).toBe('six');
  });
});
