import { describe, expect, it } from 'vitest';
import { corsHeaders, preflightHeaders } from './cors.policy.js';
import { makeUrlEvent } from './event-shape.policy.js';
import { readIntegrated } from './integrated-response.policy.js';
import { readUrlAddress } from './url-address.policy.js';
import { httpStatusOf } from './url-status.policy.js';

describe('the address of a function URL', () => {
  it.each([
    ['1250000000-abc123.localhost:8080', '/a?b=1', '/a?b=1'],
    ['1250000000-ABC123.ap-guangzhou.example.com', '/', '/'],
    ['127.0.0.1:8080', '/url/1250000000-abc123', '/'],
    ['127.0.0.1:8080', '/url/1250000000-abc123?x=1', '/?x=1'],
    ['127.0.0.1:8080', '/url/1250000000-abc123/a/b?x=1', '/a/b?x=1'],
    [undefined, '/url/1250000000-abc123//a', '//a'],
  ])('is found in host %s and path %s', (host, url, target) => {
    expect(readUrlAddress(host, url)).toEqual({ appId: '1250000000', urlId: 'abc123', target });
  });

  it.each([
    ['127.0.0.1:8080', '/'],
    ['localhost', '/url/'],
    ['localhost', '/url/1250000000'],
    ['localhost', '/url/1250000000-abc.d/'],
    ['localhost', '/urls/1250000000-abc123/'],
    ['1250000000-abc123', '/'],
    ['1-2-3.example.com', '/'],
    ['scf.1250000000-abc123.example.com', '/'],
  ])('is not found in host %s and path %s', (host, url) => {
    expect(readUrlAddress(host, url)).toBeUndefined();
  });
});

describe('an integrated response', () => {
  const read = (value: unknown) => readIntegrated(Buffer.from(JSON.stringify(value)));

  it('has status, headers (also several of a name) and body, text or base64', () => {
    const headers = { 'Content-Type': 'text/html', Key: ['v1', 'v2'], Connection: 'close' };
    expect(read({ isBase64Encoded: false, statusCode: 201, headers, body: '<p>' })).toEqual({
      statusCode: 201,
      headers: [
        ['Content-Type', 'text/html'],
        ['Key', 'v1'],
        ['Key', 'v2'],
      ],
      body: Buffer.from('<p>'),
    });
    expect(read({ isBase64Encoded: true, statusCode: 200, body: '//8=' })?.body).toEqual(
      Buffer.from([0xff, 0xff]),
    );
  });

  it('is inferred where there is no status: 200, JSON, the value as it is', () => {
    for (const value of ['text', 1, null, [1], { body: 'x' }, { headers: {} }]) {
      expect(read(value)).toEqual({
        statusCode: 200,
        headers: [['Content-Type', 'application/json']],
        body: Buffer.from(JSON.stringify(value)),
      });
    }
  });

  it.each<[string, object]>([
    ['a status that is none', { statusCode: '200' }],
    ['a status of a connection', { statusCode: 101 }],
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['headers that are a list', { statusCode: 200, headers: [] }],
    ['a header that is an object', { statusCode: 200, headers: { a: {} } }],
    ['a header with a line end', { statusCode: 200, headers: { a: 'b\r\nc: d' } }],
    ['a header name with a space', { statusCode: 200, headers: { 'a b': 'c' } }],
    ['isBase64Encoded as text', { statusCode: 200, isBase64Encoded: 'false' }],
  ])('is refused with %s', (_what, value) => {
    expect(read(value)).toBeUndefined();
  });
});

describe('the event of a request', () => {
  const request = {
    method: 'POST',
    target: '/p?a=1&b=x&b=y&c',
    headers: { host: 'h' },
    remoteAddress: '10.0.0.1',
  };

  it('holds path, query, headers and body', () => {
    expect(makeUrlEvent({ ...request, body: Buffer.from('hé') })).toEqual({
      body: 'hé',
      headers: { host: 'h', 'x-scf-remote-addr': '10.0.0.1' },
      httpMethod: 'POST',
      isBase64Encoded: false,
      path: '/p',
      queryString: { a: '1', b: ['x', 'y'], c: '' },
    });
  });

  it('holds what is not text as base64', () => {
    expect(makeUrlEvent({ ...request, body: Buffer.from([0xff, 0]) })).toMatchObject({
      body: '/wA=',
      isBase64Encoded: true,
    });
  });
});

describe('CORS', () => {
  const cors = {
    origins: ['https://a.example'],
    methods: ['GET', 'PUT'],
    headers: ['x-a'],
    exposeHeaders: ['x-b'],
    maxAgeSeconds: 60,
    credentials: true,
  };
  const asks = { origin: 'https://a.example', 'access-control-request-method': 'PUT' };

  it('allows what is configured to the origins that are', () => {
    expect(preflightHeaders(cors, asks)).toEqual([
      ['Access-Control-Allow-Origin', 'https://a.example'],
      ['Vary', 'Origin'],
      ['Access-Control-Allow-Credentials', 'true'],
      ['Access-Control-Expose-Headers', 'x-b'],
      ['Access-Control-Allow-Methods', 'GET, PUT'],
      ['Access-Control-Allow-Headers', 'x-a'],
      ['Access-Control-Max-Age', '60'],
    ]);
  });

  it('allows nothing to others', () => {
    expect(preflightHeaders(cors, { ...asks, origin: 'https://b.example' })).toEqual([['Vary', 'Origin']]);
    expect(corsHeaders(cors, undefined)).toEqual([]);
  });

  it('never answers a wildcard where credentials are sent', () => {
    const any = { ...cors, origins: ['*'], methods: ['*'], headers: [], exposeHeaders: [], maxAgeSeconds: 0 };
    expect(preflightHeaders(any, { ...asks, 'access-control-request-headers': 'x-c' })).toEqual([
      ['Access-Control-Allow-Origin', 'https://a.example'],
      ['Vary', 'Origin'],
      ['Access-Control-Allow-Credentials', 'true'],
      ['Access-Control-Allow-Methods', 'PUT'],
      ['Access-Control-Allow-Headers', 'x-c'],
    ]);
    expect(corsHeaders({ ...any, credentials: false }, 'https://x.example')).toEqual([
      ['Access-Control-Allow-Origin', '*'],
    ]);
  });
});

describe('the HTTP status', () => {
  it.each([
    [432, 429],
    [433, 504],
    [434, 502],
    [439, 502],
    [430, 502],
    [407, 502],
    [435, 404],
    [500, 500],
  ])('of %i is %i', (scf, http) => expect(httpStatusOf(scf)).toBe(http));
});
