import type { ColdStart } from '@openscf/contracts';
import type { FrameHead } from '@openscf/framing';
import type { SandboxExit, SandboxMount } from '@openscf/sandbox-api';
import type { UnpackedImage } from '../image-store/image-store.types.js';
import type { RuntimeFailure } from './channel.types.js';

/** How an invocation ended. */
export type InvocationEnd =
  | { readonly kind: 'result'; readonly body: Buffer }
  | { readonly kind: 'failure'; readonly failure: RuntimeFailure }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'exited'; readonly exit: SandboxExit }
  /** The invoker took the instance down under it. */
  | { readonly kind: 'destroyed' };

/** Why an instance did not become ready. */
export type BootFailure =
  /** An image that cannot be had; `late`: not in time. */
  | { readonly kind: 'no-image'; readonly late: boolean; readonly message: string }
  /** The platform's: code that cannot be had, a sandbox that does not start. */
  | { readonly kind: 'platform'; readonly message: string }
  | { readonly kind: 'init-failed'; readonly failure: RuntimeFailure }
  | { readonly kind: 'init-timed-out' }
  | { readonly kind: 'exited'; readonly exit: SandboxExit; readonly beforeHello: boolean }
  | { readonly kind: 'destroyed' };

export type BootOutcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: BootFailure; readonly coldStart: ColdStart };

/** A boot's turn among those that the host runs at once. */
export interface BootTurn {
  /** Others may have the turn until this is done; then it is taken again, before those who had none yet. */
  lendWhile<T>(waited: Promise<T>): Promise<T>;
}

/** What a function needs of the host, ready to be mounted; stays until `release`. */
export interface InstanceFiles {
  /** Code and layers: what a pooled instance gets late. */
  readonly mounts: readonly SandboxMount[];
  /** Instead of the platform's root file system. */
  readonly image?: UnpackedImage;
  /** What the bootstrap is told of the compile cache, if it is to use or to make one. */
  readonly compileCache?: { readonly read?: string };
  /** Takes the files of a new compile cache. */
  readonly onCompiled?: (head: Buffer, content: Buffer) => void;
  readonly release: () => void;
}

/** One invocation, as an instance runs it. */
export interface InstanceInvocation {
  /** Fields of the context that belong to this invocation. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly event: Buffer;
  readonly timeoutMs: number;
  /** Called once, as soon as the end is known. */
  readonly onEnd: (end: InvocationEnd) => void;
  /** Called once after `onEnd`, when every line that the invocation printed has been delivered. */
  readonly onSettled: () => void;
}

/** Gets what comes for one request, until the stream is closed. Nothing is checked: the user's code may have sent it. */
export interface StreamReceiver {
  onFrame(kind: number, head: Buffer, body: Buffer): void;
  /** The instance has ended under the request; called at most once, and the stream is to be closed all the same. */
  onGone(end: Extract<InvocationEnd, { kind: 'exited' | 'destroyed' }>): void;
}

/** One request on an instance's channel. */
export interface InstanceStream {
  /** False when nothing that is sent arrives any more. */
  readonly isReachable: boolean;
  /** Bytes that the instance has not taken yet, of all its streams. */
  readonly bufferedBytes: number;
  send(kind: number, head: FrameHead, body?: Buffer): void;
  /** The request has ended. To be called once; `done` is called when every line that was printed before has been delivered. */
  closeThen(recycle: boolean, done: () => void): void;
  close(options: { readonly recycle: boolean }): Promise<void>;
}
