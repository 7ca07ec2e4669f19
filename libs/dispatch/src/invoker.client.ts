import { connect, type Socket } from 'node:net';
import { dispatchFrame, type InvokeCall, type WebResponse } from '@openscf/contracts';
import { FrameSocket, type Frame, type FrameHead } from '@openscf/framing';
import type { Endpoint } from './endpoint.policy.js';
import { parseOutcome, parseResponse } from './dispatch.codec.js';
import type { DispatchResult } from './outcome.factory.js';
import { grantedBytes } from './web-exchange.js';

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_STREAM_ID = 0xffff_ffff;
/** How often deadlines of open calls, and whether the invoker lives, are looked at. */
const SWEEP_MS = 250;
/**
 * Looks in a row at which nothing had come, although the invoker was asked at the first of them: it is lost. Looks and not ms,
 * because a process that was itself held up would otherwise find everyone silent.
 */
const LOST_AFTER_LOOKS = 8;
/** From here on, other invokers are preferred. */
const DOUBTED_AFTER_LOOKS = 3;

/**
 * How a call that was given to a connection ended:
 * - `answered`: the invoker's outcome.
 * - `not-sent`: no connection came about; the call was not seen by the invoker.
 * - `lost`: the connection broke with the call under way; it may have run.
 * - `late`: no answer within the time; the invoker was told that nobody waits.
 * - `aborted`: the caller has hung up; the invoker was told.
 */
export type Delivery =
  | { readonly kind: 'answered'; readonly result: DispatchResult }
  | { readonly kind: 'not-sent' | 'lost' | 'late' | 'aborted' };

/** What comes for one web request. */
export interface WebLineEvents {
  onResponse(response: WebResponse): void;
  onData(piece: Buffer): void;
  onEnd(): void;
  onGrant(bytes: number): void;
}

interface OpenCall {
  readonly settle: (delivery: Delivery) => void;
  readonly deadlineAt: number;
  readonly web: WebLineEvents | undefined;
}

/** One web request on a connection. */
export interface WebLine {
  /** Does nothing when the request is over. */
  send(kind: number, head: FrameHead, body?: Buffer): void;
  /** Nobody waits any more; the request settles as `aborted`. */
  cancel(): void;
}

/**
 * The persistent connection to one process of an invoker.
 *
 * States: `connecting` → `open` → `closed`; `connecting` → `closed`. Closed is final: its owner makes another.
 * 1. Every call given to `send` is resolved exactly once.
 * 2. A call is reported as `not-sent` only when none of its bytes were handed to a connected socket.
 * 3. While calls are open or `watch` asks, an invoker from which nothing comes is asked whether it lives; one that does not answer for two
 *    seconds is lost, with the connection and its calls: stopped, cut off, or its host gone without a word.
 */
export class InvokerClient {
  private state: 'connecting' | 'open' | 'closed' = 'connecting';
  private readonly socket: Socket;
  private readonly frames: FrameSocket;
  private readonly calls = new Map<number, OpenCall>();
  private nextStreamId = 1;
  private sweeper: NodeJS.Timeout | undefined;
  private seenBytes = 0;
  private silentLooks = 0;
  /** Looks that are still to be made although no call is open. */
  private watchedLooks = 0;
  private readonly waitForConnection: NodeJS.Timeout;

  constructor(
    endpoint: Endpoint,
    private readonly onClose: (error: Error | undefined) => void,
  ) {
    const socket = connect(endpoint);
    this.socket = socket;
    socket.on('connect', () => {
      clearTimeout(this.waitForConnection);
      if (this.state === 'connecting') this.state = 'open';
    });
    this.waitForConnection = setTimeout(
      () => this.frames.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
    this.frames = new FrameSocket(socket, {
      onFrame: (frame) => this.receive(frame),
      onClose: (error) => this.settleAll(error),
    });
  }

  get inFlight(): number {
    return this.calls.size;
  }

  get isClosed(): boolean {
    return this.state === 'closed';
  }

  /** Nothing has come for longer than an answer takes. */
  get isDoubtful(): boolean {
    return this.silentLooks >= DOUBTED_AFTER_LOOKS;
  }

  /** It was given up because nothing came any more. */
  get isSilent(): boolean {
    return this.silentLooks >= LOST_AFTER_LOOKS;
  }

  /** Finds out whether the invoker lives, also while no call is open. */
  watch(): void {
    if (this.state !== 'open') return;
    this.watchedLooks = LOST_AFTER_LOOKS;
    this.beginSweeps();
  }

  /** Never rejects. */
  send(call: InvokeCall, event: Buffer, timeoutMs: number, signal?: AbortSignal): Promise<Delivery> {
    if (this.state === 'closed') return Promise.resolve({ kind: 'not-sent' });
    return new Promise((resolve) => {
      let settle = resolve as OpenCall['settle'];
      let id = 0;
      if (signal !== undefined) {
        const onAbort = (): void => this.giveUp(id, 'aborted');
        signal.addEventListener('abort', onAbort);
        settle = (delivery) => {
          signal.removeEventListener('abort', onAbort);
          resolve(delivery);
        };
      }
      id = this.open(settle, timeoutMs, undefined);
      this.frames.send(dispatchFrame.call, id, call, event);
    });
  }

  /** Begins a web request. `settle` is called once, last, and never before this has returned. */
  request(
    call: InvokeCall,
    timeoutMs: number,
    events: WebLineEvents,
    settle: (delivery: Delivery) => void,
  ): WebLine {
    if (this.state === 'closed') {
      setImmediate(() => settle({ kind: 'not-sent' }));
      return { send: () => undefined, cancel: () => undefined };
    }
    const id = this.open(settle, timeoutMs, events);
    this.frames.send(dispatchFrame.call, id, call);
    return {
      send: (kind, head, body) => {
        if (this.calls.has(id)) this.frames.send(kind, id, head, body);
      },
      cancel: () => this.giveUp(id, 'aborted'),
    };
  }

  close(): void {
    this.frames.destroy();
  }

  private open(settle: OpenCall['settle'], timeoutMs: number, web: WebLineEvents | undefined): number {
    const id = this.nextStreamId;
    this.nextStreamId = id === MAX_STREAM_ID ? 1 : id + 1;
    this.calls.set(id, { settle, deadlineAt: performance.now() + timeoutMs, web });
    this.beginSweeps();
    return id;
  }

  private beginSweeps(): void {
    if (this.sweeper !== undefined) return;
    this.silentLooks = 0;
    this.seenBytes = this.socket.bytesRead;
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  private receive(frame: Frame): void {
    const call = this.calls.get(frame.streamId);
    if (call === undefined) return;
    if (frame.kind !== dispatchFrame.outcome) {
      if (call.web !== undefined) this.receiveWeb(frame, call.web);
      return;
    }
    const outcome = parseOutcome(frame.head);
    if (outcome === undefined) {
      this.frames.destroy(new Error('the invoker sent an outcome that cannot be read'));
      return;
    }
    this.calls.delete(frame.streamId);
    call.settle({ kind: 'answered', result: { outcome, body: frame.body } });
  }

  private receiveWeb({ kind, head, body }: Frame, web: WebLineEvents): void {
    if (kind === dispatchFrame.data) web.onData(body);
    else if (kind === dispatchFrame.end) web.onEnd();
    else if (kind === dispatchFrame.window) web.onGrant(grantedBytes(head));
    else if (kind === dispatchFrame.response) {
      const response = parseResponse(head);
      if (response === undefined)
        this.frames.destroy(new Error('the invoker sent a response that cannot be read'));
      else web.onResponse(response);
    }
  }

  private sweep(): void {
    if (this.calls.size === 0 && this.watchedLooks === 0) {
      clearInterval(this.sweeper);
      this.sweeper = undefined;
      this.silentLooks = 0;
      return;
    }
    this.lookForLife();
    const now = performance.now();
    for (const [id, call] of this.calls) {
      if (call.deadlineAt <= now) this.giveUp(id, 'late');
    }
  }

  /** See invariant 3. Costs nothing on the way of a call: the socket counts what it reads. */
  private lookForLife(): void {
    const { bytesRead } = this.socket;
    if (bytesRead !== this.seenBytes || this.state === 'connecting') {
      this.seenBytes = bytesRead;
      this.silentLooks = 0;
      this.watchedLooks = 0;
      return;
    }
    this.silentLooks++;
    if (this.silentLooks === 1) this.frames.send(dispatchFrame.ping, 0, '{}');
    else if (this.silentLooks === LOST_AFTER_LOOKS)
      this.frames.destroy(new Error(`nothing came for ${LOST_AFTER_LOOKS * SWEEP_MS} ms`));
  }

  /** Tells the invoker that nobody waits any more. The outcome, if it comes, is dropped. */
  private giveUp(streamId: number, kind: 'late' | 'aborted'): void {
    const call = this.calls.get(streamId);
    if (!this.calls.delete(streamId)) return;
    this.frames.send(dispatchFrame.cancel, streamId, '{}');
    call?.settle({ kind });
  }

  private settleAll(error: Error | undefined): void {
    const kind = this.state === 'connecting' ? 'not-sent' : 'lost';
    this.state = 'closed';
    clearTimeout(this.waitForConnection);
    clearInterval(this.sweeper);
    const calls = [...this.calls.values()];
    this.calls.clear();
    this.onClose(error);
    for (const call of calls) call.settle({ kind });
  }
}
