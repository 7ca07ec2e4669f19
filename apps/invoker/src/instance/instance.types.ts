import type { ColdStart } from '@openscf/contracts';
import type { SandboxExit } from '@openscf/sandbox-api';
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
  /** The platform's: code that cannot be had, a sandbox that does not start. */
  | { readonly kind: 'platform'; readonly message: string }
  | { readonly kind: 'init-failed'; readonly failure: RuntimeFailure }
  | { readonly kind: 'init-timed-out' }
  | { readonly kind: 'exited'; readonly exit: SandboxExit; readonly beforeHello: boolean }
  | { readonly kind: 'destroyed' };

export type BootOutcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: BootFailure; readonly coldStart: ColdStart };

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
