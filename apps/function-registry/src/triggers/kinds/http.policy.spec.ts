import { describe, expect, it } from 'vitest';
import { triggerPlace } from '../../../test/records.factory.js';
import { functionUrls, httpPartOf, netConfigOf, newUrlId } from './http.policy.js';

const desc = {
  AuthType: 'NONE' as const,
  NetConfig: { EnableIntranet: true, EnableExtranet: false },
  CorsConfig: undefined,
};

describe('a function URL', () => {
  it('has ten letters and digits that nobody guesses', () => {
    const ids = new Set(Array.from({ length: 1000 }, newUrlId));
    expect(ids.size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]{10}$/);
  });

  it('lies on the gateway, by host and by path', () => {
    expect(functionUrls('abc', triggerPlace)).toEqual({
      hostUrl: 'http://1250000000-abc.localhost:8080',
      pathUrl: 'http://127.0.0.1:8080/url/1250000000-abc/',
    });
    expect(functionUrls('abc', { ...triggerPlace, gatewayHost: '0.0.0.0' }).pathUrl).toContain(
      '//localhost:8080/',
    );
    const gatewayPublicUrl = 'https://scf.example.com';
    expect(
      functionUrls('abc', { ...triggerPlace, gatewayPublicUrl, functionUrlDomain: 'fn.example.com' }),
    ).toEqual({
      hostUrl: 'https://1250000000-abc.fn.example.com',
      pathUrl: 'https://scf.example.com/url/1250000000-abc/',
    });
  });

  it('reads back the addresses that apply', () => {
    expect(netConfigOf(desc, 'abc', triggerPlace, true)).toMatchObject({
      IntranetUrl: 'http://1250000000-abc.localhost:8080',
      IntranetHTTPUrl: 'http://1250000000-abc.localhost:8080',
      WsIntranetUrl: 'ws://1250000000-abc.localhost:8080',
      WssIntranetUrl: '',
      ExtranetUrl: '',
      WsExtranetUrl: '',
    });
    const secure = netConfigOf(desc, 'abc', { ...triggerPlace, gatewayPublicUrl: 'https://g.example' }, true);
    expect(secure).toMatchObject({
      IntranetHTTPUrl: '',
      WsIntranetUrl: '',
      WssIntranetUrl: 'wss://1250000000-abc.localhost',
    });
  });

  it('answers other origins only when that is switched on', () => {
    const cors = {
      Enable: false,
      Origins: ['*'],
      Methods: [],
      Headers: [],
      ExposeHeaders: [],
      MaxAge: 0,
      Credentials: false,
    };
    expect(httpPartOf({ ...desc, CorsConfig: cors }, 'abc').cors).toBeUndefined();
    expect(httpPartOf({ ...desc, CorsConfig: { ...cors, Enable: true } }, 'abc').cors).toMatchObject({
      origins: ['*'],
    });
  });
});
