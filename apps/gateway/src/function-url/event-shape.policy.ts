import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';

/** What is told of a request to an event function. */
export interface UrlEventRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  readonly body: Buffer;
}

/** The event of a function URL (scf-api, section 5): the API gateway's without what is only its own. */
export function makeUrlEvent({ method, target, headers, remoteAddress, body }: UrlEventRequest): object {
  const queryAt = target.indexOf('?');
  const query = queryAt < 0 ? '' : target.slice(queryAt + 1);
  const isText = headers['content-encoding'] === undefined && isUtf8(body);
  return {
    body: isText ? body.toString() : body.toString('base64'),
    headers: { ...withoutOwn(headers), 'x-scf-remote-addr': remoteAddress },
    httpMethod: method,
    isBase64Encoded: !isText,
    path: queryAt < 0 ? target : target.slice(0, queryAt),
    queryString: readQuery(query),
  };
}

/** Values of a name that comes more than once are a list, as the API gateway gives them. */
function readQuery(query: string): Record<string, string | string[]> {
  const values = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = values.get(name);
    if (before === undefined) values.set(name, value);
    else values.set(name, Array.isArray(before) ? [...before, value] : [before, value]);
  }
  return Object.fromEntries(values);
}

function withoutOwn(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith('x-scf-')) continue;
    kept[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return kept;
}
