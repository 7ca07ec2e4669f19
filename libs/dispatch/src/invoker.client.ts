import { connect } from 'node:net';
import { dispatchFrame, type InvokeCall } from '@openscf/contracts';
import { FrameSocket, type Frame } from '@openscf/framing';
import { parseOutcome } from './dispatch.codec.js';
import type { DispatchResult } from './outcome.factory.js';

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_STREAM_ID = 0xffff_ffff;
/** How often the deadlines of open calls are looked at. */
const DEADLINE_SWEEP_MS = 250;

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

interface OpenCall {
  readonly settle: (delivery: Delivery) => void;
  readonly deadlineAt: number;
}

/**
 * The persistent connection to one process of an invoker.
 *
 * States: `connecting` → `open` → `closed`; `connecting` → `closed`. Closed is final: its owner makes another.
 * 1. Every call given to `send` is resolved exactly once.
 * 2. A call is reported as `not-sent` only when none of its bytes were handed to a connected socket.
 */
export class InvokerClient {
  private state: 'connecting' | 'open' | 'closed' = 'connecting';
  private readonly frames: FrameSocket;
  private readonly calls = new Map<number, OpenCall>();
  private nextStreamId = 1;
  private sweeper: NodeJS.Timeout | undefined;
  private readonly waitForConnection: NodeJS.Timeout;

  constructor(
    address: string,
    private readonly onClose: (error: Error | undefined) => void,
  ) {
    const colon = address.lastIndexOf(':');
    const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
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

  /** Never rejects. */
  send(call: InvokeCall, event: Buffer, timeoutMs: number, signal?: AbortSignal): Promise<Delivery> {
    if (this.state === 'closed') return Promise.resolve({ kind: 'not-sent' });
    const id = this.nextStreamId;
    this.nextStreamId = id === MAX_STREAM_ID ? 1 : id + 1;
    return new Promise((resolve) => {
      let settle = resolve as OpenCall['settle'];
      if (signal !== undefined) {
        const onAbort = (): void => this.giveUp(id, 'aborted');
        signal.addEventListener('abort', onAbort);
        settle = (delivery) => {
          signal.removeEventListener('abort', onAbort);
          resolve(delivery);
        };
      }
      this.calls.set(id, { settle, deadlineAt: performance.now() + timeoutMs });
      this.sweeper ??= setInterval(() => this.sweep(), DEADLINE_SWEEP_MS).unref();
      this.frames.send(dispatchFrame.call, id, call, event);
    });
  }

  close(): void {
    this.frames.destroy();
  }

  private receive(frame: Frame): void {
    if (frame.kind !== dispatchFrame.outcome) return;
    const call = this.calls.get(frame.streamId);
    if (call === undefined) return;
    const outcome = parseOutcome(frame.head);
    if (outcome === undefined) {
      this.frames.destroy(new Error('the invoker sent an outcome that cannot be read'));
      return;
    }
    this.calls.delete(frame.streamId);
    call.settle({ kind: 'answered', result: { outcome, body: frame.body } });
  }

  private sweep(): void {
    if (this.calls.size === 0) {
      clearInterval(this.sweeper);
      this.sweeper = undefined;
      return;
    }
    const now = performance.now();
    for (const [id, call] of this.calls) {
      if (call.deadlineAt <= now) this.giveUp(id, 'late');
    }
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
