/** Which function URL a request is for, and what the function is to see of it. */
export interface UrlAddress {
  readonly appId: string;
  readonly urlId: string;
  /** Path and query, as the function sees them. */
  readonly target: string;
}

/** `<appid>-<urlId>.<region and domain, whatever they are>`. A dot must follow: a bare host name is somebody's machine. */
const HOST = /^(\d{1,20})-([a-z0-9]{1,63})\./i;
/** The same without a name service. */
const PATH = /^\/url\/(\d{1,20})-([a-z0-9]{1,63})(?=[/?]|$)/i;

/** @returns undefined for a request that is for something else */
export function readUrlAddress(host: string | undefined, url: string): UrlAddress | undefined {
  const byHost = host === undefined ? null : HOST.exec(host);
  if (byHost !== null) {
    const [, appId = '', urlId = ''] = byHost;
    return { appId, urlId: urlId.toLowerCase(), target: url.startsWith('/') ? url : '/' };
  }
  if (!url.startsWith('/url/')) return undefined;
  const byPath = PATH.exec(url);
  if (byPath === null) return undefined;
  const [prefix, appId = '', urlId = ''] = byPath;
  const rest = url.slice(prefix.length);
  return { appId, urlId: urlId.toLowerCase(), target: rest.startsWith('/') ? rest : `/${rest}` };
}
