import { throttled } from '@openscf/dispatch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeGateway, succeeded } from '../cloud-api/gateway.fake.js';
import { type FakeUrls, startFakeUrls, URL_HOST } from './function-url.fake.js';

const byHost = { headers: { host: URL_HOST } };

let fake: FakeUrls;
let gateway: FakeGateway;
beforeEach(async () => {
  fake = await startFakeUrls();
  ({ gateway } = fake);
  gateway.addUrl();
});
afterEach(() => fake.close());

describe('a function URL of an event function', () => {
  it('makes the request an event and the integrated result a response', async () => {
    let event: unknown;
    gateway.dispatch = (_call, bytes) => {
      event = JSON.parse(bytes.toString());
      return succeeded(
        '{"statusCode":201,"headers":{"X-A":["1","2"],"Content-Type":"text/plain"},"body":"done"}',
      );
    };
    const answer = await fake.send(
      { method: 'POST', path: '/p?a=1', headers: { host: URL_HOST, 'X-Mine': 'y' } },
      'hello',
    );
    expect(event).toMatchObject({
      body: 'hello',
      headers: { host: URL_HOST, 'x-mine': 'y', 'x-scf-remote-addr': '127.0.0.1' },
      httpMethod: 'POST',
      path: '/p',
      queryString: { a: '1' },
    });
    expect([answer.status, answer.headers['x-a'], answer.text]).toEqual([201, '1, 2', 'done']);
    expect(answer.headers['x-scf-duration']).toBe('1');
  });

  it('answers a wrong shape and a failure as SCF does', async () => {
    gateway.dispatch = () => succeeded('{"statusCode":"x"}');
    const wrong = await fake.send(byHost);
    expect([wrong.status, wrong.text]).toEqual([
      403,
      '{"errno":403,"error":"Invalid scf response format. please check your scf response format."}',
    ]);
    gateway.dispatch = () => throttled('full');
    expect((await fake.send(byHost)).status).toBe(429);
  });

  it('refuses a body that is too large for an event', async () => {
    const answer = await fake.send({ ...byHost, method: 'POST' }, Buffer.alloc(6 * 1024 * 1024 + 1));
    expect(answer.status).toBe(413);
    // Fits as it is, but not as base64.
    const binary = await fake.send({ ...byHost, method: 'POST' }, Buffer.alloc(5 * 1024 * 1024, 0xff));
    expect([binary.status, binary.text]).toEqual([413, expect.stringContaining('as an event')]);
  });
});
