import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { dispatchFrame, type InvokeCall } from '@openscf/contracts';
import { FrameSocket, type Frame } from '@openscf/framing';
import { parseCall } from './dispatch.codec.js';
import type { DispatchLogger } from './dispatcher.js';
import { refused, type DispatchResult } from './outcome.factory.js';
import { WebExchange, type WebCall } from './web-exchange.js';

/** Answers waiting for a peer that does not read them: beyond this much, the peer's calls are not read either. */
const PAUSE_READS_ABOVE_BYTES = 32 * 1024 * 1024;

/** Tells whether the caller still waits. A plain flag: an AbortController per call costs more than the hop. */
export interface CallerPresence {
  readonly gone: boolean;
}

export interface DispatchServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Path of a unix socket to listen on as well; the folder is there, the name is free. */
  readonly localPath?: string;
  /** A rejection is answered as the invoker's own mistake. `caller.gone` turns true when the caller has hung up or its connection is lost. */
  readonly handle: (call: InvokeCall, event: Buffer, caller: CallerPresence) => Promise<DispatchResult>;
  /**
   * The same for a request of a web function: response and data go through the exchange, and what it resolves with is sent last.
   * Without it such calls are refused.
   */
  readonly handleWeb?: (exchange: WebExchange) => Promise<DispatchResult>;
  readonly logger: DispatchLogger;
}

/** The invoker's end of the dispatch hop. */
export class DispatchServer {
  private readonly server: Server;
  /** The one on `localPath`. */
  private readonly localServer: Server | undefined;
  private readonly connections = new Set<Connection>();

  constructor(private readonly options: DispatchServerOptions) {
    const accept = (socket: Socket): void => this.accept(socket);
    this.server = createServer({ noDelay: true }, accept);
    if (options.localPath !== undefined) this.localServer = createServer(accept);
  }

  /** @returns the port */
  async listen(): Promise<number> {
    const { port, host, localPath } = this.options;
    await listening(this.server, { port, host });
    if (localPath !== undefined && this.localServer) await listening(this.localServer, { path: localPath });
    return this.port;
  }

  /** The port it listens on; the configured one before that. */
  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : this.options.port;
  }

  /** Takes no new connections; sends what has been answered; then closes those that are open. */
  async close(): Promise<void> {
    const closed = Promise.all([this.server, this.localServer].map(ended));
    for (const connection of this.connections) connection.end();
    await closed;
  }

  private accept(socket: Socket): void {
    const connection = new Connection(socket, this.options, () => this.connections.delete(connection));
    this.connections.add(connection);
  }
}

function listening(server: Server, at: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function ended(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server?.listening === true) server.close(() => resolve());
    else resolve();
  });
}

class Connection {
  private readonly frames: FrameSocket;
  private readonly callers = new Map<number, { gone: boolean }>();
  private readonly exchanges = new Map<number, WebExchange>();

  constructor(
    private readonly socket: Socket,
    private readonly options: DispatchServerOptions,
    onClose: () => void,
  ) {
    this.frames = new FrameSocket(socket, {
      pauseReadsAboveBytes: PAUSE_READS_ABOVE_BYTES,
      onFrame: (frame) => this.receive(frame),
      onClose: (error) => {
        for (const caller of this.callers.values()) caller.gone = true;
        for (const exchange of this.exchanges.values()) exchange.cancel();
        if (error !== undefined) options.logger.warn({ reason: error.message }, 'dispatch connection broke');
        onClose();
      },
    });
  }

  end(): void {
    this.frames.end();
    // A peer that keeps its half open does not hold up the drain.
    this.socket.destroySoon();
  }

  private receive(frame: Frame): void {
    if (frame.kind === dispatchFrame.call) {
      this.call(frame).catch((error: unknown) => this.fail(frame.streamId, error));
      return;
    }
    if (frame.kind === dispatchFrame.ping) {
      this.frames.send(dispatchFrame.pong, 0, '{}');
      return;
    }
    const exchange = this.exchanges.get(frame.streamId);
    if (exchange !== undefined) {
      if (!exchange.receive(frame.kind, frame.head, frame.body))
        this.frames.destroy(new Error('the peer sent more of a request than its window'));
    } else if (frame.kind === dispatchFrame.cancel) {
      const caller = this.callers.get(frame.streamId);
      if (caller !== undefined) caller.gone = true;
    }
  }

  private async call(frame: Frame): Promise<void> {
    const call = parseCall(frame.head);
    if (typeof call === 'string') {
      this.answer(frame.streamId, refused(call, { retryable: false }));
      return;
    }
    if (call.web !== undefined) {
      await this.request(frame.streamId, call as WebCall);
      return;
    }
    const caller = { gone: false };
    this.callers.set(frame.streamId, caller);
    const result = await this.options.handle(call, frame.body, caller);
    this.callers.delete(frame.streamId);
    if (!caller.gone) this.answer(frame.streamId, result);
  }

  private async request(streamId: number, call: WebCall): Promise<void> {
    const exchange = new WebExchange(call, (kind, head, body) =>
      this.frames.send(kind, streamId, head, body),
    );
    this.exchanges.set(streamId, exchange);
    const unsupported = refused('the invoker does not serve web functions', { retryable: true });
    const result = await (this.options.handleWeb?.(exchange) ?? unsupported);
    exchange.detach();
    this.exchanges.delete(streamId);
    if (!exchange.gone) this.answer(streamId, result);
  }

  /** A mistake of the invoker's own costs the call that met it, not the others. */
  private fail(streamId: number, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.options.logger.warn({ reason, error }, 'call failed unexpectedly');
    this.callers.delete(streamId);
    this.exchanges.get(streamId)?.detach();
    this.exchanges.delete(streamId);
    this.answer(
      streamId,
      refused('InternalError: something went wrong inside the invoker', { retryable: false }),
    );
  }

  private answer(streamId: number, result: DispatchResult): void {
    this.frames.send(dispatchFrame.outcome, streamId, result.outcome, result.body);
  }
}
