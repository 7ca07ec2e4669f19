import { dispatchFrame, WEB_WINDOW_BYTES, type WebResponse } from '@openscf/contracts';
import { ReceiveWindow, SendWindow } from '@openscf/framing';
import type { Delivery, InvokerClient, WebLine } from './invoker.client.js';
import type { DispatchResult } from './outcome.factory.js';
import type { WebCall } from './web-exchange.js';

/** What the sender of a web request is told. */
export interface WebRequestEvents {
  onResponse(response: WebResponse): void;
  /** A piece of the response's body; `consumed` is owed for it. At most the window comes before. */
  onData(piece: Buffer): void;
  /** The response is complete. */
  onEnd(): void;
  /** All that was given to `send` is on its way, after `send` had returned false. */
  onWritable(): void;
  /** Always, once, and last. Without a response it tells why there is none. */
  onOutcome(result: DispatchResult): void;
}

/** Where a request goes, one try after the other. */
export interface WebRoute {
  /** The next invoker to try; undefined when there is none left. */
  next(): InvokerClient | undefined;
  /** The longest that this try may take. */
  timeoutMs(): number;
  /** What a try came to. */
  resultOf(delivery: Delivery): DispatchResult;
  /** What is answered when no try is left: `worst` is what the best of them came to. */
  exhausted(worst: DispatchResult | undefined): DispatchResult;
}

const EMPTY = '{}';

/**
 * The sender's end of a web request, over the invokers that it is tried on.
 *
 * 1. It is tried on another invoker only while no response came, and all of the body that was sent is still held here.
 * 2. Held are at most WEB_WINDOW_BYTES: the first grant says that the function reads, and from then on nothing is held.
 * 3. `onOutcome` is called once; nothing is called after it.
 */
export class OutgoingWebRequest {
  private line: WebLine | undefined;
  private window = new SendWindow(WEB_WINDOW_BYTES);
  private readonly received = new ReceiveWindow(WEB_WINDOW_BYTES);
  private held: Buffer[] | undefined = [];
  private waiting: Buffer[] = [];
  private owesWritable = false;
  private ended = false;
  private endSent = false;
  private responded = false;
  private settled = false;
  private canceled = false;
  private worst: DispatchResult | undefined;

  constructor(
    private readonly call: WebCall,
    private readonly route: WebRoute,
    private readonly events: WebRequestEvents,
  ) {}

  /** Sends the head. To be called once. */
  begin(): void {
    const client = this.route.next();
    if (client === undefined) setImmediate(() => this.settle(this.route.exhausted(undefined)));
    else this.tryOn(client);
  }

  /** Takes a piece of the body in any case. @returns false when no more should be sent until `onWritable` */
  send(piece: Buffer): boolean {
    if (this.settled || piece.length === 0) return true;
    this.waiting.push(piece);
    this.flush();
    this.owesWritable = this.waiting.length > 0;
    return !this.owesWritable;
  }

  /** The body is complete. */
  end(): void {
    this.ended = true;
    this.flush();
  }

  /** So many bytes of what `onData` gave have been taken. */
  consumed(bytes: number): void {
    const grant = this.received.consumed(bytes);
    if (grant > 0) this.line?.send(dispatchFrame.window, { bytes: grant });
  }

  /** Nobody waits any more. `onOutcome` follows at once. */
  cancel(): void {
    if (this.settled) return;
    this.canceled = true;
    this.line?.cancel();
  }

  private tryOn(client: InvokerClient): void {
    this.window = new SendWindow(WEB_WINDOW_BYTES);
    this.line = client.request(
      this.call,
      this.route.timeoutMs(),
      {
        onResponse: (response) => {
          this.responded = true;
          this.held = undefined;
          this.events.onResponse(response);
        },
        onData: (piece) => {
          // More than the window is the invoker's mistake; it is one of ours, and the bytes are here already.
          this.received.received(piece.length);
          this.events.onData(piece);
        },
        onEnd: () => this.events.onEnd(),
        onGrant: (bytes) => {
          this.held = undefined;
          this.window.grant(bytes);
          this.flush();
        },
      },
      (delivery) => this.delivered(delivery),
    );
    this.flush();
  }

  private flush(): void {
    const { line } = this;
    if (line === undefined || this.settled) return;
    for (let piece = this.waiting[0]; piece !== undefined; piece = this.waiting[0]) {
      const taken = this.window.take(piece.length);
      if (taken === 0) return;
      const part = taken === piece.length ? piece : piece.subarray(0, taken);
      if (part === piece) this.waiting.shift();
      else this.waiting[0] = piece.subarray(taken);
      this.held?.push(part);
      line.send(dispatchFrame.data, EMPTY, part);
    }
    if (this.ended && !this.endSent) {
      this.endSent = true;
      line.send(dispatchFrame.end, EMPTY);
    }
    if (this.owesWritable) {
      this.owesWritable = false;
      this.events.onWritable();
    }
  }

  private delivered(delivery: Delivery): void {
    const result = this.route.resultOf(delivery);
    const { outcome } = result;
    const mayGoOn =
      !this.responded &&
      !this.canceled &&
      this.held !== undefined &&
      (outcome.kind === 'throttled' || (outcome.kind === 'refused' && outcome.retryable));
    if (!mayGoOn) {
      this.settle(result);
      return;
    }
    // Throttled says more than refused: the function could have run if there were room.
    if (this.worst === undefined || outcome.kind === 'throttled') this.worst = result;
    const client = this.route.next();
    if (client === undefined) {
      this.settle(this.route.exhausted(this.worst));
      return;
    }
    this.waiting = [...(this.held ?? []), ...this.waiting];
    this.held = [];
    this.endSent = false;
    this.tryOn(client);
  }

  private settle(result: DispatchResult): void {
    if (this.settled) return;
    this.settled = true;
    this.waiting = [];
    this.held = undefined;
    this.events.onOutcome(result);
  }
}
