import { hash } from 'node:crypto';
import { CallerError } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { readAuthorization, type RequestHeaders } from './authorization.js';
import { canonicalRequestHash, deriveSigningKey, signatureOf, SigningKey } from './signature.js';
import { signTc3 } from './signer.js';

/** The test vectors of scf-api section 3. */
const SECRET_KEY = 'SKEXAMPLE0001';
const SIGNED_AT = 1795333643;
const PYTHON_BODY = '{"FunctionName": "hello", "Event": "{\\"key\\":\\"v\\"}", "LogType": "Tail"}';
const NODE_BODY = '{"FunctionName":"hello","Event":"{\\"key\\":\\"v\\"}","LogType":"Tail"}';
const PYTHON_SIGNATURE = '4f305da74354a46483044e530ffd5c1364844bcefe7842cd10f3ac6b14b17974';
const NODE_SIGNATURE = 'ffeb02109ac8415ff23baad53fd2bfe4d01caa476a1b4c766dea248038660de5';

function headersOf(service: string, signature: string, more: RequestHeaders = {}): RequestHeaders {
  return {
    host: '127.0.0.1:18950',
    'content-type': 'application/json',
    'x-tc-timestamp': String(SIGNED_AT),
    authorization: `TC3-HMAC-SHA256 Credential=AKIDEXAMPLE0001/2026-11-22/${service}/tc3_request, SignedHeaders=content-type;host, Signature=${signature}`,
    ...more,
  };
}

function verify(
  headers: RequestHeaders,
  body: string,
  nowMs = SIGNED_AT * 1000,
  secretKey = SECRET_KEY,
): boolean {
  const authorization = readAuthorization(headers, nowMs);
  const key = new SigningKey(secretKey, authorization.date, authorization.service);
  return key.matches({ method: 'POST', query: '', headers }, authorization, hash('sha256', body));
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CallerError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a signature', () => {
  it('has the hashes of the vectors on the way', () => {
    expect(hash('sha256', PYTHON_BODY)).toBe(
      'cb6b3ba96aa856c1d599a36faea66ba6c1a8273cc1921f089121092b14bfce2c',
    );
    const lines = 'content-type:application/json\nhost:127.0.0.1:18950\n';
    const request = { method: 'POST', query: '' };
    expect(canonicalRequestHash(request, lines, 'content-type;host', hash('sha256', PYTHON_BODY))).toBe(
      '59d894a396138a53beb62b5447f1647c3bd6a0f81f4d78737814d25b9debc2c1',
    );
  });

  it('is accepted with the port in the host (Python) and without (Node.js)', () => {
    expect(verify(headersOf('scf', PYTHON_SIGNATURE), PYTHON_BODY)).toBe(true);
    expect(verify(headersOf('127', NODE_SIGNATURE), NODE_BODY)).toBe(true);
  });

  it('is accepted again and again from a client that signs without the port', () => {
    const headers = headersOf('127', NODE_SIGNATURE);
    const authorization = readAuthorization(headers, SIGNED_AT * 1000);
    const key = new SigningKey(SECRET_KEY, authorization.date, authorization.service);
    const bodySha256 = hash('sha256', NODE_BODY);
    const check = () => key.matches({ method: 'POST', query: '', headers }, authorization, bodySha256);
    expect([check(), check(), check()]).toEqual([true, true, true]);
  });

  it('is refused for another body, key, host, content type or query', () => {
    const headers = headersOf('scf', PYTHON_SIGNATURE);
    expect(verify(headers, `${PYTHON_BODY} `)).toBe(false);
    expect(verify(headers, PYTHON_BODY, SIGNED_AT * 1000, 'SKEXAMPLE0002')).toBe(false);
    expect(verify({ ...headers, host: '127.0.0.2:18950' }, PYTHON_BODY)).toBe(false);
    expect(verify({ ...headers, 'content-type': 'text/plain' }, PYTHON_BODY)).toBe(false);
    const authorization = readAuthorization(headers, SIGNED_AT * 1000);
    const key = new SigningKey(SECRET_KEY, authorization.date, authorization.service);
    const withQuery = { method: 'POST', query: 'a=1', headers };
    expect(key.matches(withQuery, authorization, hash('sha256', PYTHON_BODY))).toBe(false);
  });

  it.each(['127.0.0.1:18950', 'localhost:9000', 'scf.example.com', 'http://127.0.0.1:9000'])(
    'made by our signer for host %s is accepted',
    (host) => {
      const body = '{"FunctionName":"hello"}';
      const headers = signTc3({
        action: 'Invoke',
        body,
        host,
        secretId: 'AKID',
        secretKey: SECRET_KEY,
        nowMs: SIGNED_AT * 1000,
      });
      expect(verify(headers, body)).toBe(true);
    },
  );

  it('covers a content type with a charset (Java) and values in lower case (the written protocol)', () => {
    const body = '{}';
    for (const [sent, signed] of [
      ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
      ['Application/JSON', 'application/json'],
    ] as const) {
      const scope = { timestamp: String(SIGNED_AT), date: '2026-11-22', service: '127' };
      const signature = javaSignature(signed, body, scope);
      expect(verify(headersOf('127', signature, { 'content-type': sent }), body)).toBe(true);
    }
  });
});

function javaSignature(
  contentType: string,
  body: string,
  scope: { timestamp: string; date: string; service: string },
): string {
  const lines = `content-type:${contentType}\nhost:127.0.0.1:18950\n`;
  const requestHash = canonicalRequestHash(
    { method: 'POST', query: '' },
    lines,
    'content-type;host',
    hash('sha256', body),
  );
  return signatureOf(deriveSigningKey(SECRET_KEY, scope.date, scope.service), scope, requestHash).toString(
    'hex',
  );
}

describe('an Authorization header', () => {
  it.each([
    ['none', { authorization: undefined }],
    ['SKIP', { authorization: 'SKIP' }],
    ['another scheme', { authorization: 'Bearer abc' }],
    ['a short signature', headersOf('scf', 'abcd')],
    ['no service', headersOf('', PYTHON_SIGNATURE)],
    [
      'an unsigned host',
      { authorization: headersOf('scf', PYTHON_SIGNATURE)['authorization']?.toString().replace(';host', '') },
    ],
    ['a timestamp that is none', { 'x-tc-timestamp': 'now' }],
    [
      'a date of another day',
      {
        authorization: headersOf('scf', PYTHON_SIGNATURE)
          ['authorization']?.toString()
          .replace('11-22', '11-21'),
      },
    ],
  ])('with %s is refused', (_what, more) => {
    const headers = { ...headersOf('scf', PYTHON_SIGNATURE), ...more };
    expect(codeOf(() => readAuthorization(headers, SIGNED_AT * 1000))).toBe(
      'AuthFailure.InvalidAuthorization',
    );
  });

  it('may be 300 s old or ahead, and no more', () => {
    const at = (offSeconds: number) =>
      codeOf(() => readAuthorization(headersOf('scf', PYTHON_SIGNATURE), (SIGNED_AT + offSeconds) * 1000));
    expect([at(300), at(-300), at(301), at(-301), at(360)]).toEqual([
      'accepted',
      'accepted',
      'AuthFailure.SignatureExpire',
      'AuthFailure.SignatureExpire',
      'AuthFailure.SignatureExpire',
    ]);
  });

  it('without a timestamp is a missing parameter', () => {
    const headers = headersOf('scf', PYTHON_SIGNATURE, { 'x-tc-timestamp': undefined });
    expect(codeOf(() => readAuthorization(headers, SIGNED_AT * 1000))).toBe('MissingParameter');
  });
});
