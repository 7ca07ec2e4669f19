import { createHash, randomBytes } from 'node:crypto';
import { signTc3, UNSIGNED_PAYLOAD, type ToSign } from '@openscf/scf-api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SECRET_ID, SECRET_KEY } from '../cloud-api/gateway.fake.js';
import { echo, type FakeUrls, startFakeUrls, URL_HOST } from './function-url.fake.js';

let fake: FakeUrls;
beforeEach(async () => {
  fake = await startFakeUrls();
  fake.gateway.addUrl({ functionName: 'site', authType: 'CAM' });
});
afterEach(() => fake.close());

describe('a signed function URL', () => {
  function signed(options: Partial<ToSign> = {}): Record<string, string> {
    return signTc3({
      action: 'InvokeFunctionUrl',
      body: '',
      host: URL_HOST,
      path: '/p',
      query: 'q=1',
      secretId: SECRET_ID,
      secretKey: SECRET_KEY,
      ...options,
    });
  }

  it('is answered when method, path, query, host and body are signed', async () => {
    const headers = signed({ body: '{"a":1}' });
    const answer = await fake.send({ method: 'POST', path: '/p?q=1', headers }, '{"a":1}');
    expect(answer.status).toBe(200);
    const { web } = JSON.parse(answer.text) as { web: { headers: string[][] } };
    expect(web.headers.map(([name]) => name)).not.toContain('authorization');
    const get = await fake.send({ path: '/p?q=1', headers: signed({ method: 'GET' }) });
    expect(get.status).toBe(200);
    const byPath = signed({ method: 'GET', host: '127.0.0.1', path: '/url/1250000000-abc123/p' });
    expect((await fake.send({ path: '/url/1250000000-abc123/p?q=1', headers: byPath })).status).toBe(200);
  });

  it.each<
    [
      string,
      { method?: string; path?: string; body?: string; drop?: string; sign?: Partial<ToSign> },
      number,
      string,
    ]
  >([
    ['is not signed', { drop: 'authorization' }, 401, 'Authorization is missing'],
    ['has no time', { drop: 'x-tc-timestamp' }, 401, 'X-TC-Timestamp is missing'],
    ['is six minutes old', { sign: { nowMs: Date.now() - 360_000 } }, 401, 'behind'],
    ['has a key nobody knows', { sign: { secretId: 'AKIDother' } }, 403, 'not known'],
    ['has another method', { method: 'PUT' }, 403, 'does not match'],
    ['has another path', { path: '/other?q=1' }, 403, 'does not match'],
    ['has another query', { path: '/p?q=2' }, 403, 'does not match'],
    ['has another body', { body: 'changed' }, 403, 'does not match'],
  ])('refuses a request that %s', async (_what, change, status, reason) => {
    const served = vi.fn(echo);
    fake.serve = served;
    const headers = signed({ body: 'b', ...change.sign });
    if (change.drop !== undefined) Reflect.deleteProperty(headers, change.drop);
    const { method = 'POST', path = '/p?q=1', body = 'b' } = change;
    const answer = await fake.send({ method, path, headers }, body);
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.text) as { errorMessage: string }).errorMessage).toContain(reason);
    expect(served).not.toHaveBeenCalled();
  });

  it('streams a body that is not signed with the head', async () => {
    const headers = { ...signed({ body: UNSIGNED_PAYLOAD }), 'x-tc-content-sha256': UNSIGNED_PAYLOAD };
    const bytes = randomBytes(8_000_000);
    const answer = await fake.send({ method: 'POST', path: '/p?q=1', headers }, bytes);
    expect(JSON.parse(answer.text)).toMatchObject({
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('refuses a signed body of more than 6 MB, which it would have to hold', async () => {
    const answer = await fake.send(
      { method: 'POST', path: '/p?q=1', headers: signed() },
      Buffer.alloc(7_000_000),
    );
    expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('UNSIGNED-PAYLOAD')]);
  });
});
