import type { IncomingHttpHeaders } from 'node:http';
import type { HttpTrigger } from '@openscf/contracts';

type Cors = NonNullable<HttpTrigger['cors']>;
export type HeaderLines = [string, string][];

const PREFIX = 'access-control-';

/** A browser that asks, before the request itself, whether it may be made. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/** Headers of the answer to a preflight; without any that allow something when the origin is not one of the URL's. */
export function preflightHeaders(cors: Cors, headers: IncomingHttpHeaders): HeaderLines {
  const lines = corsHeaders(cors, headers.origin);
  if (lines.length <= 1) return lines;
  const asked = headers['access-control-request-headers'];
  lines.push([
    'Access-Control-Allow-Methods',
    listOr(cors.methods, String(headers['access-control-request-method'])),
  ]);
  const allowed = listOr(cors.headers, typeof asked === 'string' ? asked : '');
  if (allowed !== '') lines.push(['Access-Control-Allow-Headers', allowed]);
  if (cors.maxAgeSeconds > 0) lines.push(['Access-Control-Max-Age', String(cors.maxAgeSeconds)]);
  return lines;
}

/** Headers that every answer to this origin gets. Wildcards are answered with the origin itself where cookies are allowed. */
export function corsHeaders(cors: Cors, origin: string | undefined): HeaderLines {
  if (origin === undefined) return [];
  const isAny = cors.origins.includes('*');
  // What is answered depends on who asks, so that no cache may give it to others.
  const vary: HeaderLines = isAny && !cors.credentials ? [] : [['Vary', 'Origin']];
  if (!isAny && !cors.origins.includes(origin)) return vary;
  const lines: HeaderLines = [
    ['Access-Control-Allow-Origin', isAny && !cors.credentials ? '*' : origin],
    ...vary,
  ];
  if (cors.credentials) lines.push(['Access-Control-Allow-Credentials', 'true']);
  if (cors.exposeHeaders.length > 0)
    lines.push(['Access-Control-Expose-Headers', cors.exposeHeaders.join(', ')]);
  return lines;
}

/** Headers of the function that the URL's own configuration takes the place of. */
export function isCorsHeader(lowerCaseName: string): boolean {
  return lowerCaseName.startsWith(PREFIX);
}

/** `*` is no wildcard for a browser that sends credentials: then what was asked for is allowed by its name. */
function listOr(allowed: readonly string[], asked: string): string {
  return allowed.length === 0 || allowed.includes('*') ? asked : allowed.join(', ');
}
