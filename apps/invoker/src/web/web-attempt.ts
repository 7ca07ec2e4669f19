import { WEB_WINDOW_BYTES, type ColdStart, type FunctionState, type WebResponse } from '@openscf/contracts';
import { grantedBytes, parseResponse, type WebExchange, type WebReceiver } from '@openscf/dispatch';
import { ReceiveWindow } from '@openscf/framing';
import { InvocationLog } from '../execution/invocation.log.js';
import type { Arrival } from '../execution/receipt.policy.js';
import { readFailure } from '../instance/channel.types.js';
import { webFrame, type WebInstance, type WebStream, type WebStreamReceiver } from './web-channel.types.js';
import { mustRecycle, type WebEnd } from './web-outcome.policy.js';
import { closeFrame, WebSocketScanner } from './websocket.scanner.js';

export interface WebLimits {
  /** Of a response that says its length beforehand. scf-api: 6 MB. */
  readonly declaredBytes: number;
  /** Of a response that is streamed. */
  readonly streamedBytes: number;
}

export interface WebAttemptRequest {
  readonly exchange: WebExchange;
  readonly state: FunctionState;
  readonly arrival: Arrival;
  readonly head: Readonly<Record<string, unknown>>;
  readonly limits: WebLimits;
  /** Called once, when the end is known and the caller has been given everything but the outcome. */
  readonly onEnd: (attempt: WebAttempt, end: WebEnd) => void;
}

/** What an instance that keeps to its windows may leave unread of 100 requests, and some. */
const MAX_UNREAD_BYTES = 128 * WEB_WINDOW_BYTES;
const EMPTY = '{}';
const SWITCHING_PROTOCOLS = 101;
/** RFC 6455, 7.4.1. */
const GOING_AWAY = 1001;
const SERVER_ERROR = 1011;

/**
 * One request on an instance: passes frames between the caller's exchange and the instance's stream.
 *
 *     begun → responding → ended          (begun → ended without a response)
 *
 * 1. It ends once; after that nothing is sent to either side.
 * 2. Nothing is kept: grants go from one side to the other as they come, so that all that is under way lies in one window. What the
 *    instance grants beyond what it was sent is not believed, and what it sends beyond its window ends the request.
 * 3. A response that is not complete is never ended towards the caller: the outcome that follows tells why.
 */
export class WebAttempt implements WebStreamReceiver, WebReceiver {
  readonly log = new InvocationLog();
  readonly startedAt = Date.now();
  readonly beganAt = performance.now();
  readonly coldStart: ColdStart | undefined;
  readonly initMemoryBytes: number;
  durationMs = 0;
  /** Of the response's body, or what a WebSocket connection carried to the client. */
  sentBytes = 0;
  status: number | undefined;
  private readonly stream: WebStream;
  private readonly timer: NodeJS.Timeout;
  private idleTimer: NodeJS.Timeout | undefined;
  private readonly fromInstance = new ReceiveWindow(WEB_WINDOW_BYTES);
  /** Sent to the instance and not granted back. */
  private unreadBytes = 0;
  private maxBytes = Infinity;
  private requestEnded = false;
  private ended = false;
  private tunnel: { readonly toClient: WebSocketScanner; readonly toServer: WebSocketScanner } | undefined;

  constructor(
    readonly instance: WebInstance,
    readonly request: WebAttemptRequest,
  ) {
    this.coldStart = instance.takeColdStart();
    this.initMemoryBytes = instance.memoryBytes;
    this.stream = instance.openStream(this);
    this.timer = setTimeout(() => this.finish({ kind: 'timed-out' }), request.state.timeoutMs);
    this.stream.send(webFrame.request, request.head);
  }

  /** Lets the caller's body in. To be called once, when lines are received. */
  begin(): void {
    this.request.exchange.attach(this);
  }

  /** When it resolves, every line of the request has come. */
  close(end: WebEnd): Promise<void> {
    return this.stream.close({ recycle: mustRecycle(end) });
  }

  // From the caller.

  onData(piece: Buffer): void {
    if (this.ended) return;
    this.unreadBytes += piece.length;
    this.tunnel?.toServer.push(piece);
    this.idleTimer?.refresh();
    this.stream.send(webFrame.data, EMPTY, piece);
  }

  onEnd(): void {
    if (this.ended) return;
    this.requestEnded = true;
    // A client that has sent its close frame may close before the server has.
    if (this.tunnel !== undefined && !this.isClosing) this.finish({ kind: 'canceled', badly: true });
    else this.stream.send(webFrame.end, EMPTY);
  }

  onGrant(bytes: number): void {
    if (this.ended) return;
    this.fromInstance.granted(bytes);
    this.stream.send(webFrame.window, { bytes });
  }

  onCancel(): void {
    if (this.tunnel === undefined) this.finish({ kind: 'canceled', badly: false });
    else if (this.isClosing) this.finish({ kind: 'complete' });
    else this.finish({ kind: 'canceled', badly: true });
  }

  // From the instance.

  onFrame(kind: number, head: Buffer, body: Buffer): void {
    if (this.ended) return;
    switch (kind) {
      case webFrame.data:
        this.fromServer(body);
        return;
      case webFrame.window:
        this.grantToCaller(grantedBytes(head));
        return;
      case webFrame.response:
        this.respond(head);
        return;
      case webFrame.end:
        this.serverEnded();
        return;
      case webFrame.error:
        this.finish({ kind: 'failure', failure: readFailure(head) });
        return;
      case webFrame.abort:
        this.serverBroke(readReason(head));
        return;
      default:
        this.finish({ kind: 'broken', message: 'the function sent what is no part of a response' });
    }
  }

  onGone(end: Extract<WebEnd, { kind: 'gone' }>['end']): void {
    this.finish({ kind: 'gone', end });
  }

  private get isClosing(): boolean {
    return this.tunnel !== undefined && (this.tunnel.toClient.closing || this.tunnel.toServer.closing);
  }

  private respond(head: Buffer): void {
    if (this.status !== undefined) return;
    const response = parseResponse(head);
    if (response === undefined || (response.status < 200 && response.status !== SWITCHING_PROTOCOLS)) {
      this.finish({ kind: 'broken', message: 'the function sent a response that is not one of HTTP' });
      return;
    }
    const { webSocketIdleMs } = this.request.state;
    if (response.status === SWITCHING_PROTOCOLS) {
      if (webSocketIdleMs === undefined) {
        const message = 'the function switched protocols, but its ProtocolType is not WS';
        this.finish({ kind: 'broken', message });
        return;
      }
      this.tunnel = { toClient: new WebSocketScanner(), toServer: new WebSocketScanner() };
      this.idleTimer = setTimeout(
        () => this.finish({ kind: 'idle', idleMs: webSocketIdleMs }),
        webSocketIdleMs,
      );
    } else if (!this.keepsToLimit(response)) return;
    this.status = response.status;
    this.request.exchange.respond(head);
  }

  private keepsToLimit(response: WebResponse): boolean {
    const { declaredBytes, streamedBytes } = this.request.limits;
    const declared = response.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
    const length = Number(declared);
    this.maxBytes = streamedBytes;
    if (declared === undefined || length <= declaredBytes || this.request.exchange.call.web.method === 'HEAD')
      return true;
    const message = `the response is larger than ${megabytes(declaredBytes)} MB: ${length} bytes; send it without Content-Length to stream it`;
    this.finish({ kind: 'too-large', message });
    return false;
  }

  private fromServer(piece: Buffer): void {
    // The window bounds bytes: empty pieces could come without end.
    const isWanted = this.status !== undefined && piece.length > 0;
    if (!isWanted || !this.fromInstance.received(piece.length)) {
      this.finish({ kind: 'broken', message: 'the function sent data that nobody asked for' });
      return;
    }
    this.sentBytes += piece.length;
    if (this.tunnel !== undefined) {
      this.tunnel.toClient.push(piece);
      this.idleTimer?.refresh();
    } else if (this.sentBytes > this.maxBytes) {
      const message = `the response is larger than ${megabytes(this.maxBytes)} MB`;
      this.finish({ kind: 'too-large', message });
      return;
    }
    this.request.exchange.data(piece);
  }

  private grantToCaller(bytes: number): void {
    if (this.stream.bufferedBytes > MAX_UNREAD_BYTES) {
      this.finish({
        kind: 'broken',
        message: 'the function asks for more and does not read what it was sent',
      });
      return;
    }
    const grant = Math.min(bytes, this.unreadBytes);
    this.unreadBytes -= grant;
    if (grant > 0) this.request.exchange.grant(grant);
  }

  private serverEnded(): void {
    if (this.status === undefined) {
      this.finish({ kind: 'broken', message: 'the function closed the connection without a response' });
    } else if (this.tunnel !== undefined && !this.isClosing) {
      const message = 'the function has left the WebSocket connection without closing it';
      this.finish({ kind: 'broken', message });
    } else this.finish({ kind: 'complete' });
  }

  private serverBroke(reason: string): void {
    if (this.isClosing) this.finish({ kind: 'complete' });
    else {
      const message = `the function broke the connection off before its response was complete${reason}`;
      this.finish({ kind: 'broken', message });
    }
  }

  private finish(end: WebEnd): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    clearTimeout(this.idleTimer);
    this.durationMs = performance.now() - this.beganAt;
    const { exchange } = this.request;
    const isComplete = end.kind === 'complete';
    // The instance has nothing to do any more, unless it has had all and has sent all.
    if (end.kind !== 'gone' && !(isComplete && this.requestEnded && this.tunnel === undefined))
      this.stream.send(webFrame.abort, { reason: isComplete ? 'complete' : end.kind });
    if (this.tunnel !== undefined) this.closeTunnel(end, this.tunnel.toClient);
    else if (isComplete) exchange.end();
    exchange.detach();
    this.request.onEnd(this, end);
  }

  /** Tells a WebSocket client why, as far as the protocol allows at this place of the stream. */
  private closeTunnel(end: WebEnd, toClient: WebSocketScanner): void {
    const { exchange } = this.request;
    if (end.kind !== 'complete' && !toClient.closing && toClient.isBetweenFrames) {
      const isServers = end.kind === 'gone' || end.kind === 'broken';
      const frame = closeFrame(isServers ? SERVER_ERROR : GOING_AWAY, CLOSE_REASONS[end.kind]);
      this.sentBytes += frame.length;
      exchange.data(frame);
    }
    exchange.end();
  }
}

const CLOSE_REASONS: Record<WebEnd['kind'], string> = {
  complete: '',
  failure: 'the function failed',
  broken: 'the function closed the connection',
  'too-large': 'too large',
  'timed-out': "the function's time is over",
  idle: 'idle for too long',
  canceled: '',
  gone: 'the function exited',
};

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

function readReason(head: Buffer): string {
  try {
    const { reason } = JSON.parse(head.toString()) as { reason?: unknown };
    return typeof reason === 'string' && reason !== '' ? `: ${reason.slice(0, 200)}` : '';
  } catch {
    return '';
  }
}
