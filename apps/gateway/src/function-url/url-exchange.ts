import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionState, HttpTrigger } from '@openscf/contracts';
import { endWhenRead } from '../cloud-api/answer.js';
import type { HeaderLines } from './cors.policy.js';

/** A request to a function URL, and where it is answered. */
export interface UrlExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly acceptedAt: number;
  /** Path and query, as the function sees them. */
  readonly target: string;
  /** Added to whatever is answered. */
  cors: HeaderLines;
  /** CORS is configured on the URL: the function's own headers for it are not passed on. */
  ownsCors: boolean;
  /** The connection was given up for a WebSocket: it carries no other request. */
  readonly isUpgrade: boolean;
  /** The connection's last answer. */
  readonly isLast: () => boolean;
}

/** Where an exchange goes, once it is allowed. */
export interface UrlCall {
  readonly trigger: HttpTrigger;
  readonly state: FunctionState;
  /** The request was signed. */
  readonly isSigned: boolean;
  /** The body, where it had to be read to check its signature; undefined when it is still to be read. */
  readonly body: Buffer | undefined;
}

/** Headers that every answer of a function URL has, as `node:http` takes them raw. */
export function ownHeaders(exchange: UrlExchange, scfStatus: number | undefined): string[] {
  const lines = ['X-Scf-Request-Id', exchange.requestId];
  if (scfStatus !== undefined) lines.push('X-Scf-Status', String(scfStatus));
  for (const [name, value] of exchange.cors) lines.push(name, value);
  if (exchange.isLast()) lines.push('Connection', 'close');
  return lines;
}

/** Sends a whole answer, unless one was begun; then there is nothing left but to break it off. */
export function sendWhole(
  exchange: UrlExchange,
  httpStatus: number,
  headers: readonly string[],
  body: Buffer,
): void {
  const { request, response } = exchange;
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const isBodiless = httpStatus === 204 || httpStatus === 304;
  const head = [...headers];
  if (!isBodiless) head.push('Content-Length', String(body.length));
  response.writeHead(httpStatus, head);
  const content = isBodiless || request.method === 'HEAD' ? undefined : body;
  if (request.complete || exchange.isUpgrade) {
    response.end(content);
    return;
  }
  if (content === undefined) response.flushHeaders();
  else response.write(content);
  endWhenRead(request, response);
}

/** An error in place of the function's answer. */
export function sendError(
  exchange: UrlExchange,
  httpStatus: number,
  error: { code: string; message: string; scfStatus?: number },
): void {
  const { requestId } = exchange;
  const body = JSON.stringify({ errorCode: error.code, errorMessage: error.message, requestId });
  const headers = [...ownHeaders(exchange, error.scfStatus), 'Content-Type', 'application/json'];
  if (httpStatus === 429) headers.push('Retry-After', '1');
  sendWhole(exchange, httpStatus, headers, Buffer.from(body));
}
