import type { ColdStart } from '@openscf/contracts';
import type { FrameHead } from '@openscf/framing';
import type { InvocationEnd } from '../instance/instance.types.js';

/**
 * The seam between an instance and the web requests on it. The instance owns the channel, the count of its requests and its
 * own end; the web exchange owns what a request's frames mean, its time and its log.
 */

/** Kinds of frames of a web request on an instance's channel: see libs/runtimes/README.md. `error` is 7, as for events. */
export const webFrame = {
  error: 7,
  request: 8,
  data: 9,
  end: 10,
  response: 11,
  window: 12,
  abort: 13,
} as const;

/** Called by the instance with what comes for one request. Nothing comes after `onGone`, nor after the stream was closed. */
export interface WebStreamReceiver {
  /** A frame of this stream: `error`, `data`, `end`, `response`, `window` or `abort`. Not checked: the user's code may have sent it. */
  onFrame(kind: number, head: Buffer, body: Buffer): void;
  /** The instance has ended under the request: `exited` or `destroyed`. The stream is closed by it. */
  onGone(end: Extract<InvocationEnd, { kind: 'exited' | 'destroyed' }>): void;
}

/** One request on an instance. */
export interface WebStream {
  /** Sends a frame of this stream; does nothing when the channel is gone. */
  send(kind: number, head: FrameHead, body?: Buffer): void;
  /** Bytes that the instance has not taken from the channel yet, of all its streams. */
  readonly bufferedBytes: number;
  /**
   * The request has ended; to be called once, `onGone` or not. Its lines may still come for a moment: the instance counts it as
   * under way until the promise resolves, which it does when every line that was printed before has been delivered.
   * `recycle`: the instance must take no other request, and end when those that are under way have ended.
   */
  close(options: { readonly recycle: boolean }): Promise<void>;
}

/** What a web request needs of an instance. */
export interface WebInstance {
  readonly id: string;
  /** The most memory seen so far. */
  readonly memoryBytes: number;
  /** Given once, to the first request. */
  takeColdStart(): ColdStart | undefined;
  sampleMemory(): Promise<number>;
  /** Where lines go, of all requests alike; set by the first of requests that overlap and unset by the last. */
  receiveLines(receiver: ((text: string) => void) | undefined): void;
  /** Begins a request on an instance that was acquired for it. @throws when the instance takes no requests */
  openStream(receiver: WebStreamReceiver): WebStream;
}
