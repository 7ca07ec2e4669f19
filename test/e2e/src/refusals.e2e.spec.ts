import { randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { signTc3 } from '@openscf/scf-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniqueName } from './function.fixture.js';
import { cloud, codeOf, everyObject, platform } from './platform.js';
import { until } from './until.js';
import { zipOf, zipWithName } from './zip.factory.js';

const PLATFORM_BUCKET = 'openscf-platform';

interface Answer {
  Response: { Error?: { Code: string; Message: string }; RequestId: string; TotalCount?: number };
}

interface Forgery {
  secretId?: string;
  secretKey?: string;
  nowMs?: number;
  /** What is sent instead of what was signed. */
  sentBody?: string;
}

/** A request made by hand, with one thing wrong. */
async function send(forgery: Forgery): Promise<Answer> {
  const body = JSON.stringify({ Limit: 1 });
  const headers = signTc3({
    secretId: forgery.secretId ?? platform.secretId,
    secretKey: forgery.secretKey ?? platform.secretKey,
    action: 'ListFunctions',
    host: new URL(platform.gateway).host,
    nowMs: forgery.nowMs ?? Date.now(),
    body,
  });
  const response = await post(headers, forgery.sentBody ?? body);
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('application/json');
  return (await json(response)) as Answer;
}

/** Not `fetch`, which writes the Host header itself. */
function post(headers: Record<string, string>, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(platform.gateway, { method: 'POST', headers }, resolve).on('error', reject).end(body);
  });
}

describe('a request that is not what it says', () => {
  it('is answered when nothing is wrong', async () => {
    expect((await send({})).Response.Error).toBeUndefined();
  });

  it.each<[string, Forgery, string]>([
    ['a wrong signature', { secretKey: 'x'.repeat(32) }, 'AuthFailure.SignatureFailure'],
    ['a clock six minutes late', { nowMs: Date.now() - 360_000 }, 'AuthFailure.SignatureExpire'],
    ['a clock six minutes early', { nowMs: Date.now() + 360_000 }, 'AuthFailure.SignatureExpire'],
    ['an unknown key', { secretId: 'AKIDunknownunknownunknownunknown0000' }, 'AuthFailure.SecretIdNotFound'],
    ['an altered body', { sentBody: JSON.stringify({ Limit: 2 }) }, 'AuthFailure.SignatureFailure'],
  ])('%s is refused', async (_, forgery, code) => {
    const { Response } = await send(forgery);
    expect(Response.Error?.Code).toBe(code);
    expect(Response.RequestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

/** What the platform keeps of uploads, whole or in parts. */
async function packages(): Promise<string[]> {
  const found: string[] = [];
  const whole = everyObject.listObjectsV2(PLATFORM_BUCKET, '', true) as AsyncIterable<{ name: string }>;
  const parts = everyObject.listIncompleteUploads(PLATFORM_BUCKET, '', true) as AsyncIterable<{
    key: string;
  }>;
  for await (const { name } of whole) found.push(name);
  for await (const { key } of parts) found.push(`${key} (in parts)`);
  return found.sort();
}

describe('a function that cannot be made', () => {
  let before: number;
  let packagesBefore: string[];
  const names: string[] = [];
  const good = `exports.main_handler = async () => 1`;
  const create = (name: string, zip: Buffer): Promise<unknown> => {
    names.push(name);
    return cloud.CreateFunction({
      FunctionName: name,
      Runtime: 'Nodejs18.15',
      Handler: 'index.main_handler',
      Code: { ZipFile: zip.toString('base64') },
    });
  };

  beforeAll(async () => {
    before = (await cloud.ListFunctions({})).TotalCount ?? 0;
    packagesBefore = await packages();
  });

  afterAll(async () => {
    // Packages of functions that other specs have deleted may go meanwhile.
    await until('no new package is left', async () =>
      (await packages()).every((name) => packagesBefore.includes(name)),
    );
    expect((await cloud.ListFunctions({})).TotalCount).toBe(before);
    for (const name of names) {
      const code = await codeOf(cloud.GetFunction({ FunctionName: name }));
      expect(code).toMatch(/^(ResourceNotFound\.Function|InvalidParameterValue\.FunctionName)$/);
    }
  });

  it.each(['1st', 'a', 'with space', 'ends-', 'x'.repeat(61), 'ü-function'])(
    'is not called "%s"',
    async (name) => {
      expect(await codeOf(create(name, await zipOf({ 'index.js': good })))).toBe(
        'InvalidParameterValue.FunctionName',
      );
    },
  );

  it('has no zip of 51 MB', async () => {
    const zip = await zipOf({ 'index.js': good, filler: randomBytes(51 * 2 ** 20) }, false);
    expect(await codeOf(create(uniqueName('large'), zip))).toBe('RequestSizeLimitExceeded');
  });

  it('has no broken zip', async () => {
    const zip = await zipOf({ 'index.js': good });
    const cut = zip.subarray(0, zip.length - 30);
    expect(await codeOf(create(uniqueName('broken'), cut))).toBe('InvalidParameterValue.ZipFile');
    expect(await codeOf(create(uniqueName('broken'), Buffer.from('no zip')))).toBe(
      'InvalidParameterValue.ZipFile',
    );
  });

  it.each(['../evil.js', '/etc/evil.js', 'a/../../evil.js'])('has no zip with %s', async (name) => {
    const zip = await zipWithName(name, good);
    expect(await codeOf(create(uniqueName('evil'), zip))).toBe('InvalidParameterValue.ZipFile');
  });

  it('says which field is wrong, and what it accepts', async () => {
    const zip = await zipOf({ 'index.js': good });
    await expect(create('1st', zip)).rejects.toThrow(/FunctionName.*1st/s);
  });
});
