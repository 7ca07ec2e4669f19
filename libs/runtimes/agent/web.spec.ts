import { createHash } from 'node:crypto';
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
const app = `
const http = require('http');
const { createHash } = require('crypto');
const server = http.createServer((request, response) => {
  const path = request.url.split('?')[0];
  const routes = {
    '/hello': () => response.end('hello'),
    '/echo': () => {
      const { method, url, headers, rawHeaders } = request;
      const chunks = [];
      request.on('data', (c) => chunks.push(c)).on('end', () =>
        response.end(JSON.stringify({ method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() })));
    },
    '/status': () => { response.writeHead(Number(request.url.split('?')[1])); response.end(); },
    '/lines': () => {
      response.writeHead(201, [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['X-Latin', 'caf\\u00e9 "q"'],
        ['Connection', 'keep-alive'], ['Keep-Alive', 'timeout=5'], ['Content-Length', '2']].flat());
      response.end(Buffer.from('ok'));
    },
    '/head': () => { response.setHeader('Content-Length', '1000'); response.end(); },
    '/large-head': () => { response.setHeader('X-Large', 'x'.repeat(5000)); response.end('no'); },
    '/huge-head': () => { response.setHeader('X-Large', 'x'.repeat(50000)); response.end('no'); },
    '/down': async () => {
      const hash = createHash('md5');
      for (let i = 0; i < 160; i++) {
        const piece = Buffer.alloc(65536, i);
        hash.update(piece);
        server.pushed = (i + 1) * 65536;
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.addTrailers({ 'X-Md5': hash.digest('hex') });
      response.end();
    },
    '/pushed': () => response.end(String(server.pushed)),
    '/up': () => {
      const hash = createHash('md5');
      let size = 0;
      request.on('data', (c) => { hash.update(c); size += c.length; }).on('end', () =>
        response.end(size + ' ' + hash.digest('hex')));
    },
    '/slow-up': () => { server.held = request; response.flushHeaders(); },
    '/release': () => { server.held.resume(); response.end(); },
    '/duplex': () => { response.flushHeaders(); request.on('data', (c) => response.write(c)).on('end', () => response.end()); },
    '/refuse': () => { response.writeHead(413, { Connection: 'close' }); response.end('too much'); },
    '/events': () => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\\n\\n');
      server.stream = response;
      request.on('close', () => { server.closed = true; console.log('client gone'); });
    },
    '/next-event': () => { server.stream.write('data: 2\\n\\n'); response.end(); },
    '/cut': () => { response.writeHead(200, { 'Content-Length': '100' }); response.write('part', () => request.socket.destroy()); },
    '/drop': () => request.socket.destroy(),
    '/die': () => process.exit(9),
    '/die-midway': () => { response.write('part', () => process.exit(0)); },
    '/no-length': () => { response.writeHead(200, { Connection: 'close' }); response.useChunkedEncodingByDefault = false; response.end('to the end'); },
    '/once': () => { response.shouldKeepAlive = false; response.end('closed'); },
    '/interim': () => { response.writeEarlyHints({ link: '</a>; rel=preload' }); response.writeContinue(); response.end('final'); },
    '/connections': () => response.end(String(server.total)),
    '/print': async () => {
      console.log('begin ' + path);
      await new Promise((resolve) => { (server.waiting ??= []).push(resolve); if (server.waiting.length === 2) server.waiting.forEach((go) => go()); });
      console.log('end of', request.url);
      response.end();
    },
    '/raw': () => request.socket.end('SSH-2.0-no-http\\r\\n'),
  };
  routes[path]();
});
server.total = 0;
server.on('connection', () => server.total++);
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/no') { socket.end('HTTP/1.1 403 Forbidden\\r\\nContent-Length: 2\\r\\n\\r\\nno'); return; }
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: x\\r\\n\\r\\nhello');
  console.log('upgraded');
  if (head.length) socket.write(head);
  socket.on('data', (c) => socket.write(c));
  socket.on('end', () => { console.log('client closed'); socket.end(); });
  socket.on('close', () => console.log('socket closed'));
  socket.on('error', () => {});
});
server.listen(Number(process.env.AT));
`;

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

  it('whose lines overlap marks them with their requests', async () => {
    const web = await startApp({ environment: { NODE_OPTIONS: '--no-warnings' } });
    const answers = [web.fetch('GET', '/print?1'), web.fetch('GET', '/print?2')];
    await Promise.all(answers);
    await web.until(() => web.output.split('\n').length > 4);
    expect(web.output.split('\n').sort()).toEqual(
      [
        '',
        ...['request-1', 'request-2'].flatMap((id, at) => [
          `\u0001${id}\u0001begin /print`,
          `\u0001${id}\u0001end of /print?${at + 1}`,
        ]),
      ].sort(),
    );
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

describe('a web function in Python', () => {
  const server = (handler: string, rest: string): string => `
import http.server, os, sys, threading
${handler}
${rest}`;
  const files = (code: string): Record<string, string> => ({
    scf_bootstrap: '#!/bin/bash\nexec python3 app.py',
    'app.py': code,
  });
  const handler = `
both = threading.Barrier(2)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('begin', self.path)
        if self.path != '/one': both.wait()
        sys.stdout.write('end of ')
        print(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'done')
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass`;

  it('serves HTTP/1.0, one connection after the other', async () => {
    const rest = `http.server.HTTPServer(('127.0.0.1', int(os.environ['AT'])), Handler).serve_forever()`;
    const web = await start(files(server(handler, rest)));
    expect((await web.fetch('GET', '/one')).body).toBe('done');
    expect((await web.fetch('POST', '/', {}, 'x'.repeat(200_000))).body).toBe('x'.repeat(200_000));
    expect((await web.fetch('GET', '/one')).body).toBe('done');
  });

  it('marks the lines of requests that overlap, and loads its own sitecustomize', async () => {
    const rest = `http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['AT'])), Handler).serve_forever()`;
    const web = await start(
      { ...files(server(handler, rest)), 'site/sitecustomize.py': 'print("own site")' },
      { environment: { PYTHONPATH: 'site' } },
    );
    await Promise.all([web.fetch('GET', '/a'), web.fetch('GET', '/b')]);
    await web.until(() => web.output.split('\n').length > 5);
    const marked = ['/a', '/b'].flatMap((path, at) =>
      ['begin', 'end of'].map((text) => `\u0001request-${at + 1}\u0001${text} ${path}`),
    );
    expect(web.output.split('\n').sort()).toEqual(['', 'own site', ...marked].sort());
  });

  it('marks what a WSGI program logs', async () => {
    const code = `
import logging, os
from wsgiref.simple_server import make_server
def application(environ, start_response):
    logging.warning('careful %s', environ['PATH_INFO'])
    start_response('200 OK', [])
    return [b'wsgi']
make_server('127.0.0.1', int(os.environ['AT']), application).serve_forever()`;
    const web = await start(files(code));
    expect((await web.fetch('GET', '/now')).body).toBe('wsgi');
    await web.until(() => web.output.includes('careful'));
    expect(web.output).toMatch(/^\u0001request-1\u0001.*careful \/now$/m);
  });
});
