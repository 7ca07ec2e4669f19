import type { Duplex } from 'node:stream';
import type { WebResponse } from '@openscf/contracts';
import type { OutgoingWebRequest } from '@openscf/dispatch';
import type { UrlExchange } from './url-exchange.js';

/** The client's end of an upgraded connection. */
export interface Tunnel {
  /** Gives the client what the function sent. */
  write(piece: Buffer): void;
  /** The function has closed its side. */
  end(): void;
  /** The function takes more. */
  resume(): void;
  /** It is over, whatever is still open. */
  close(): void;
}

/** Hop-by-hop headers belong to this response, which is about the connection. */
const DROPPED: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'keep-alive']);

/** Answers 101 on the raw connection, and passes bytes from then on. */
export function openTunnel(
  exchange: UrlExchange,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  response: WebResponse,
  outgoing: OutgoingWebRequest,
): Tunnel {
  let owedBytes = 0;
  socket.write(responseHead(exchange, response));
  socket.on('data', (chunk: Buffer) => {
    if (!outgoing.send(chunk)) socket.pause();
  });
  socket.on('end', () => outgoing.end());
  socket.on('close', () => outgoing.cancel());
  if (head.length > 0) outgoing.send(head);
  return {
    write: (piece) => {
      if (socket.destroyed) return;
      if (socket.write(piece)) outgoing.consumed(piece.length);
      else {
        if (owedBytes === 0)
          socket.once('drain', () => {
            outgoing.consumed(owedBytes);
            owedBytes = 0;
          });
        owedBytes += piece.length;
      }
    },
    end: () => socket.end(),
    resume: () => socket.resume(),
    // What was written is sent before.
    close: () => {
      if (socket.writableFinished) socket.destroy();
      else socket.end(() => socket.destroy());
    },
  };
}

function responseHead({ requestId }: UrlExchange, { headers }: WebResponse): string {
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (const [name, value] of headers) {
    if (!DROPPED.has(name.toLowerCase())) text += `${clean(name)}: ${clean(value)}\r\n`;
  }
  return `${text}X-Scf-Request-Id: ${requestId}\r\n\r\n`;
}

/** A function must not write lines of its own into the head. */
function clean(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}
