/** Programs that nobody here wrote, unmodified, as web functions behind function URLs. */
import { describe, expect, it } from 'vitest';
import { logOf } from '../function.logs.js';
import {
  adminer,
  django,
  expressGenerator,
  fastify,
  flask,
  flaskr,
  httpbin,
  jsonServer,
  next,
  zipkin,
} from './app-packages.js';
import { makeWebApp, nextMessage, openSocket } from './web-function.fixture.js';

/** The first one fetches and builds what the cache does not have. */
const FETCH_MS = 240_000;
const json = { 'Content-Type': 'application/json' };

async function text(url: string, init?: RequestInit): Promise<{ status: number; body: string }> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.text() };
}

describe('Node.js', { timeout: FETCH_MS }, () => {
  it('runs json-server, made with Express', async () => {
    const { url } = await makeWebApp(await jsonServer(), { Runtime: 'Nodejs18.15', MemorySize: 256 });
    expect(await (await fetch(`${url}/posts`)).json()).toEqual([{ id: 1, title: 'first' }]);
    const created = await fetch(`${url}/posts`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ title: 'second' }),
    });
    expect(created.status).toBe(201);
    expect(await (await fetch(`${url}/posts/2`)).json()).toEqual({ id: 2, title: 'second' });
    expect((await fetch(`${url}/posts/3`)).status).toBe(404);
  });

  it("runs what Express's own generator makes", async () => {
    const { url } = await makeWebApp(await expressGenerator(), { Runtime: 'Nodejs18.15', MemorySize: 256 });
    expect(await text(`${url}/`)).toMatchObject({
      status: 200,
      body: expect.stringContaining('Welcome to Express') as string,
    });
    const style = await fetch(`${url}/stylesheets/style.css`);
    expect(style.headers.get('content-type')).toContain('text/css');
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });

  it('runs Fastify, and keeps the lines of overlapping requests apart', async () => {
    const fn = await makeWebApp(await fastify(), {
      Runtime: 'Nodejs20.19',
      MemorySize: 256,
      InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: 20 },
    });
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    const answers = await Promise.all(names.map((name) => fetch(`${fn.url}/hello/${name}`)));
    for (const [index, answer] of answers.entries()) {
      expect(await answer.json()).toEqual({ hello: names[index] });
      const { Log } = await logOf(fn.name, answer.headers.get('x-scf-request-id') ?? '');
      expect(Log?.match(/greeting name-\d+/g)).toEqual([`greeting ${names[index]}`]);
    }
    const sum = await text(`${fn.url}/sum`, { method: 'POST', headers: json, body: '{"values":[1,2,3]}' });
    expect(sum).toEqual({ status: 200, body: '{"sum":6}' });
    expect((await text(`${fn.url}/sum`, { method: 'POST', headers: json, body: '{' })).status).toBe(400);
  });

  it('runs Next.js: a page rendered for each request, and a route', async () => {
    const { url } = await makeWebApp(await next(), { Runtime: 'Nodejs20.19', MemorySize: 512 });
    const page = await text(`${url}/?name=Ann`);
    expect(page.status).toBe(200);
    expect(page.body).toMatch(/Hello (<!-- -->)?Ann/);
    const echo = await text(`${url}/api/echo`, { method: 'POST', headers: json, body: '{"a":1}' });
    expect(echo).toEqual({ status: 200, body: '{"echoed":{"a":1}}' });
  });
});

describe('Python', { timeout: FETCH_MS }, () => {
  it("runs the application of Flask's tutorial: a person registers, logs in and writes", async () => {
    const { url } = await makeWebApp(await flaskr(), { Runtime: 'Python3.11', MemorySize: 256 });
    const form = (path: string, fields: Record<string, string>, cookie = '') =>
      fetch(url + path, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { cookie },
        redirect: 'manual',
      });
    const person = { username: 'ann', password: 'secret' };
    expect((await form('/auth/register', person)).status).toBe(302);
    const login = await form('/auth/login', person);
    const [session = ''] = (login.headers.get('set-cookie') ?? '').split(';');
    expect((await form('/create', { title: 'A title', body: 'Some text' }, session)).status).toBe(302);
    expect((await text(`${url}/`)).body).toContain('A title');
  });

  it('keeps the lines of overlapping requests to a Flask app apart', async () => {
    const count = 10;
    const fn = await makeWebApp(await flask(), {
      Runtime: 'Python3.11',
      MemorySize: 256,
      InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: count },
    });
    const names = Array.from({ length: count }, (_, index) => `name-${index}`);
    const answers = await Promise.all(names.map((name) => fetch(`${fn.url}/${name}/of/${count}`)));
    for (const [index, answer] of answers.entries()) {
      expect(await answer.text()).toBe(names[index]);
      const { Log } = await logOf(fn.name, answer.headers.get('x-scf-request-id') ?? '');
      const words = Log?.match(/(printed|logged) by name-\d+/g);
      expect(words).toEqual([`printed by ${names[index]}`, `logged by ${names[index]}`]);
    }
  });

  it('runs Django with its admin pages', async () => {
    const { url } = await makeWebApp(await django(), { Runtime: 'Python3.11', MemorySize: 512 });
    expect((await text(`${url}/`)).body).toContain('The install worked successfully');
    expect((await text(`${url}/admin/login/`)).body).toContain('Django administration');
  });
});

describe('other languages', { timeout: FETCH_MS }, () => {
  it('runs Adminer, a PHP application', async () => {
    const { url } = await makeWebApp(await adminer(), { Runtime: 'Php8.2' });
    const page = await text(`${url}/adminer.php`);
    expect(page.status).toBe(200);
    expect(page.body).toContain('Adminer');
  });

  it("runs Zipkin's server, an executable Spring Boot jar", async () => {
    const { url } = await makeWebApp(await zipkin(), { Runtime: 'Java17', MemorySize: 1024 });
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'UP' });
    const span = { traceId: 'a'.repeat(16), id: 'b'.repeat(16), name: 'get', timestamp: Date.now() * 1_000 };
    const posted = await text(`${url}/api/v2/spans`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify([span]),
    });
    expect(posted.status).toBe(202);
  });

  it('runs go-httpbin: streams, server-sent events and a WebSocket', async () => {
    const fn = await makeWebApp(await httpbin(), {
      Runtime: 'CustomRuntime',
      ProtocolType: 'WS',
      ProtocolParams: { WSParams: { IdleTimeOut: 30 } },
      InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: 10 },
    });
    expect((await text(`${fn.url}/stream/5`)).body.trim().split('\n')).toHaveLength(5);

    const events = await fetch(`${fn.url}/sse?count=3&duration=2s&delay=0s`);
    const reader = events.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toContain('event: ping');
    expect(first?.done).toBe(false);
    let pieces = 1;
    while (!(await reader?.read())?.done) pieces += 1;
    expect(pieces).toBeGreaterThan(1);

    const headers = (await (await fetch(`${fn.url}/headers`)).json()) as {
      headers: Record<string, string[]>;
    };
    expect(headers.headers['X-Scf-Name']).toEqual([fn.name]);
    expect(headers.headers['X-Scf-Memory']).toEqual(['128']);

    const socket = await openSocket(`${fn.url}/websocket/echo`);
    const answer = nextMessage(socket);
    socket.send('hello');
    expect(await answer).toBe('hello');
  });
});
