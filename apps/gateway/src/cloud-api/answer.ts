import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long, and how much of, a body that nobody wants is still read, so that its sender gets to the answer. */
const DISCARD_MS = 60_000;
const DISCARD_BYTES = 128 * 1024 * 1024;

/**
 * Writes an answer of the Cloud API: always 200, and a Content-Type without charset, because Python's SDK takes an error for a
 * success otherwise. `closing`: this is the connection's last answer.
 */
export function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
  closing = false,
): void {
  if (response.destroyed || response.headersSent) return;
  const traceId = request.headers['x-tc-traceid'];
  const unread = !request.complete;
  const bytes = Buffer.byteLength(text);
  // The same bytes either way; plain ASCII goes out without being transcoded.
  const encoding = bytes === text.length ? 'latin1' : 'utf8';
  const head = ['Content-Type', 'application/json', 'Content-Length', String(bytes)];
  if (typeof traceId === 'string') head.push('X-TC-TraceId', traceId);
  if (closing || unread) head.push('Connection', 'close');
  response.writeHead(200, head);
  if (!unread) {
    // As text, so that head and body leave in one write.
    response.end(text, encoding);
    return;
  }
  response.write(text, encoding);
  endWhenRead(request, response);
}

/**
 * Ends an answer whose bytes are written. Closing a connection while its client still sends would reset it, and the client would never see the answer. So the answer is
 * written whole, the rest of the body is read and dropped, and only then the connection ends.
 */
export function endWhenRead(request: IncomingMessage, response: ServerResponse): void {
  let discarded = 0;
  const end = () => {
    clearTimeout(timer);
    request.off('data', onData).off('end', end).off('close', end);
    response.end();
    if (!request.complete) request.destroy();
  };
  const timer = setTimeout(end, DISCARD_MS);
  const onData = (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARD_BYTES) end();
  };
  request.on('data', onData).on('end', end).on('close', end);
  request.resume();
}
