import type { IncomingMessage } from 'node:http';
import type { WebRequest } from '@openscf/contracts';

type HeaderLines = WebRequest['headers'];

/** RFC 9110, 7.6.1: they are about one connection; and those that this end has dealt with. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);
/** The gateway's own word: a client's is not passed on. */
const OWN = /^x-(scf-|real-ip$)/;
/** Proves who signed; the function has no business with it. */
const SIGNATURE: ReadonlySet<string> = new Set(['authorization', 'x-tc-token']);

/** How a request's headers are passed on. */
export interface HeaderRules {
  /** The request is an upgrade, which is passed on with the headers that ask for it. */
  readonly isUpgrade: boolean;
  /** The request was signed for the gateway. */
  readonly isSigned: boolean;
}

/** The headers that a function sees: the client's, in their order and spelling, with where it comes from. */
export function requestHeaders(request: IncomingMessage, { isUpgrade, isSigned }: HeaderRules): HeaderLines {
  const dropped = namedByConnection(request.headers.connection);
  const lines: HeaderLines = [];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || dropped.has(lower) || OWN.test(lower) || lower === 'x-forwarded-for')
      continue;
    if (isSigned && SIGNATURE.has(lower)) continue;
    lines.push([name, rawHeaders[i + 1] ?? '']);
  }
  if (isUpgrade) lines.push(['Connection', 'Upgrade'], ['Upgrade', request.headers.upgrade ?? '']);
  // Tells the function's runtime that a body comes, before any of it has.
  if (request.headers['transfer-encoding'] !== undefined) lines.push(['Transfer-Encoding', 'chunked']);
  const address = request.socket.remoteAddress ?? '';
  const { 'x-forwarded-for': before, 'x-forwarded-proto': protocol } = request.headers;
  lines.push(['X-Forwarded-For', before === undefined ? address : `${String(before)}, ${address}`]);
  if (protocol === undefined) lines.push(['X-Forwarded-Proto', 'http']);
  lines.push(['X-Real-Ip', address], ['X-Scf-Remote-Addr', address]);
  return lines;
}

/** Whether a header of a function's response goes to the client. Transfer-Encoding is this end's: it knows the client's version. */
export function isPassedBack(lowerCaseName: string): boolean {
  return !HOP_BY_HOP.has(lowerCaseName) && !lowerCaseName.startsWith('x-scf-');
}

const NONE: ReadonlySet<string> = new Set();

function namedByConnection(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}
