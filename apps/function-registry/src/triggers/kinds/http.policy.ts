import { randomBytes } from 'node:crypto';
import type { HttpTrigger } from '@openscf/contracts';
import type { HttpDesc } from '@openscf/scf-api';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const URL_ID_LENGTH = 10;

/** What makes a new URL its trigger's own: nobody can guess it. */
export function newUrlId(): string {
  let id = '';
  while (id.length < URL_ID_LENGTH) {
    for (const byte of randomBytes(URL_ID_LENGTH)) {
      // Bytes beyond the last whole alphabet would make the first letters likelier.
      if (byte < 252 && id.length < URL_ID_LENGTH) id += LETTERS[byte % LETTERS.length];
    }
  }
  return id;
}

export function httpPartOf(desc: HttpDesc, urlId: string): Pick<HttpTrigger, 'urlId' | 'authType' | 'cors'> {
  const { AuthType: authType, CorsConfig: cors } = desc;
  if (!cors?.Enable) return { urlId, authType, cors: undefined };
  return {
    urlId,
    authType,
    cors: {
      origins: cors.Origins,
      methods: cors.Methods,
      headers: cors.Headers,
      exposeHeaders: cors.ExposeHeaders,
      maxAgeSeconds: cors.MaxAge,
      credentials: cors.Credentials,
    },
  };
}

/** Listening on every address is no address. */
const EVERYWHERE = new Set(['0.0.0.0', '::', '[::]']);

/** Where function URLs lie. */
export interface UrlPlace {
  appId: string;
  functionUrlDomain: string;
  gatewayHost: string;
  gatewayPort: number;
  gatewayPublicUrl?: string | undefined;
}

/**
 * The addresses of a function URL: as a host of its own, and as a path of the gateway for callers that cannot resolve that host.
 * There is one network, so the vendor's private address is the same.
 */
export function functionUrls(urlId: string, place: UrlPlace): { hostUrl: string; pathUrl: string } {
  const host = EVERYWHERE.has(place.gatewayHost) ? 'localhost' : place.gatewayHost;
  const gateway = new URL(place.gatewayPublicUrl ?? `http://${host}:${place.gatewayPort}`);
  const label = `${place.appId}-${urlId}`;
  const port = gateway.port === '' ? '' : `:${gateway.port}`;
  return {
    hostUrl: `${gateway.protocol}//${label}.${place.functionUrlDomain}${port}`,
    pathUrl: `${gateway.origin}/url/${label}/`,
  };
}

/** NetConfig as it is read back, with every address of the vendor's form; those that do not apply are empty. */
export function netConfigOf(desc: HttpDesc, urlId: string, place: UrlPlace, webSocket: boolean) {
  const { EnableIntranet, EnableExtranet } = desc.NetConfig;
  const { hostUrl, pathUrl } = functionUrls(urlId, place);
  const secure = hostUrl.startsWith('https:');
  const socketUrl = webSocket ? hostUrl.replace(/^http/, 'ws') : '';
  const when = (enabled: boolean, value: string) => (enabled ? value : '');
  return {
    EnableIntranet,
    IntranetUrl: when(EnableIntranet, hostUrl),
    IntranetHTTPUrl: when(EnableIntranet && !secure, hostUrl),
    EnableExtranet,
    ExtranetUrl: when(EnableExtranet, hostUrl),
    ExtranetHTTPUrl: when(EnableExtranet && !secure, hostUrl),
    WsIntranetUrl: when(EnableIntranet && !secure, socketUrl),
    WssIntranetUrl: when(EnableIntranet && secure, socketUrl),
    WsExtranetUrl: when(EnableExtranet && !secure, socketUrl),
    WssExtranetUrl: when(EnableExtranet && secure, socketUrl),
    PathUrl: pathUrl,
  };
}
