import {
  dispatchFrame,
  WEB_WINDOW_BYTES,
  type InvokeCall,
  type WebRequest,
  type WebResponse,
} from '@openscf/contracts';
import { ReceiveWindow, type FrameHead } from '@openscf/framing';

/** The call of a web function. */
export type WebCall = InvokeCall & { readonly web: WebRequest };

/** Who takes what the caller of a web request sends. */
export interface WebReceiver {
  /** A piece of the request's body. Not more than the window comes before `grant`. */
  onData(piece: Buffer): void;
  /** The body is complete. */
  onEnd(): void;
  /** So many bytes of the response more may be sent. */
  onGrant(bytes: number): void;
  /** The caller has hung up, or its connection is lost. Nothing comes after it. */
  onCancel(): void;
}

type Send = (kind: number, head: FrameHead, body?: Buffer) => void;

/**
 * The invoker's end of a web request. What the caller sends before `attach` waits here: the window bounds it.
 *
 * The invoker passes grants on in both directions instead of giving its own: then everything under way between caller and
 * instance is within one window, and nothing gathers in between.
 */
export class WebExchange {
  private receiver: WebReceiver | undefined;
  private waiting: Buffer[] = [];
  private ended = false;
  private isGone = false;
  private readonly window = new ReceiveWindow(WEB_WINDOW_BYTES);

  constructor(
    readonly call: WebCall,
    private readonly send: Send,
  ) {}

  /** The caller does not wait any more. */
  get gone(): boolean {
    return this.isGone;
  }

  /** Delivers everything from now on to `receiver`, beginning with what has waited. To be called once. */
  attach(receiver: WebReceiver): void {
    this.receiver = receiver;
    for (const piece of this.waiting.splice(0)) receiver.onData(piece);
    if (this.isGone) receiver.onCancel();
    else if (this.ended) receiver.onEnd();
  }

  /** Nobody takes what still comes. */
  detach(): void {
    this.receiver = undefined;
    this.waiting = [];
    this.ended = true;
  }

  /** Lets the caller send so many bytes more. */
  grant(bytes: number): void {
    this.window.granted(bytes);
    this.put(dispatchFrame.window, { bytes });
  }

  /** The head of the response, or its JSON as it is. */
  respond(response: WebResponse | Buffer): void {
    this.put(dispatchFrame.response, response);
  }

  /** At most the window before `onGrant`. */
  data(piece: Buffer): void {
    this.put(dispatchFrame.data, '{}', piece);
  }

  /** The response is complete. */
  end(): void {
    this.put(dispatchFrame.end, '{}');
  }

  /** For the connection: a frame of this request. @returns false when the caller does not keep to the window */
  receive(kind: number, head: Buffer, body: Buffer): boolean {
    switch (kind) {
      case dispatchFrame.data:
        if (!this.window.received(body.length)) return false;
        if (this.receiver !== undefined) this.receiver.onData(body);
        else if (!this.ended) this.waiting.push(body);
        return true;
      case dispatchFrame.end:
        if (this.ended) return true;
        this.ended = true;
        this.receiver?.onEnd();
        return true;
      case dispatchFrame.window:
        this.receiver?.onGrant(grantedBytes(head));
        return true;
      case dispatchFrame.cancel:
        this.cancel();
        return true;
      default:
        return true;
    }
  }

  /** For the connection: nobody waits any more. */
  cancel(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.waiting = [];
    this.receiver?.onCancel();
  }

  private put(kind: number, head: FrameHead, body?: Buffer): void {
    if (!this.isGone) this.send(kind, head, body);
  }
}

/** The bytes of a `window` frame; 0 for anything that is not one. */
export function grantedBytes(head: Buffer): number {
  try {
    const { bytes } = JSON.parse(head.toString('latin1')) as { bytes?: unknown };
    return typeof bytes === 'number' && bytes > 0 && Number.isSafeInteger(bytes) ? bytes : 0;
  } catch {
    return 0;
  }
}
