import type { Duplex } from 'node:stream';
import type { WebResponse } from '@openscf/contracts';
import type { OutgoingWebRequest } from '@openscf/dispatch';

/** Where an upgraded connection goes on. */
export interface UpgradeSocket {
  readonly socket: Duplex;
  /** What the client sent behind its request. */
  readonly head: Buffer;
}

/** A client has nothing to say before it is answered; it is read all the same, because otherwise its leaving would not be seen. */
const MAX_EARLY_BYTES = 64 * 1024;
/** Hop-by-hop headers belong to this response, which is about the connection. */
const DROPPED: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'keep-alive']);

/**
 * The client's end of an upgraded connection.
 *
 *     asked → open → closed          asked → closed: it was refused, or the client has left
 */
export class WebSocketTunnel {
  isOpen = false;
  private early: Buffer[] = [];
  private earlyBytes = 0;
  private owedBytes = 0;
  private readonly socket: Duplex;

  constructor(
    { socket, head }: UpgradeSocket,
    private readonly outgoing: OutgoingWebRequest,
  ) {
    this.socket = socket;
    if (head.length > 0) this.early.push(head);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => {
      if (this.isOpen) outgoing.end();
      else outgoing.cancel();
    });
    socket.on('close', () => outgoing.cancel());
  }

  /** Answers 101 on the raw connection, and passes bytes from then on. */
  open(response: WebResponse, requestId: string): void {
    this.isOpen = true;
    this.socket.write(responseHead(response, requestId));
    for (const chunk of this.early.splice(0)) this.receive(chunk);
    this.socket.resume();
  }

  /** Gives the client what the function sent. */
  write(piece: Buffer): void {
    const { socket, outgoing } = this;
    if (socket.destroyed) return;
    if (socket.write(piece)) {
      outgoing.consumed(piece.length);
      return;
    }
    if (this.owedBytes === 0)
      socket.once('drain', () => {
        outgoing.consumed(this.owedBytes);
        this.owedBytes = 0;
      });
    this.owedBytes += piece.length;
  }

  /** The function has closed its side. */
  end(): void {
    this.socket.end();
  }

  /** The function takes more. */
  resume(): void {
    this.socket.resume();
  }

  /** It is over, whatever is still open; what was written is sent before. */
  close(): void {
    const { socket } = this;
    if (socket.writableFinished) socket.destroy();
    else socket.end(() => socket.destroy());
  }

  private receive(chunk: Buffer): void {
    if (this.isOpen) {
      if (!this.outgoing.send(chunk)) this.socket.pause();
      return;
    }
    this.early.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes > MAX_EARLY_BYTES) this.socket.pause();
  }
}

function responseHead({ headers }: WebResponse, requestId: string): string {
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
