import type { ColdStart, FunctionState } from '@openscf/contracts';
import type { BootFailure, BootOutcome } from '../instance/instance.types.js';

/** What the pool needs of an instance. */
export interface PoolInstance {
  readonly id: string;
  readonly phase: string;
  readonly idleSince: number | undefined;
  boot(): Promise<BootOutcome>;
  destroy(): Promise<void>;
}

/** What a caller gets that asks for an instance. */
export type Acquired<I> =
  | { readonly kind: 'instance'; readonly instance: I }
  | {
      readonly kind: 'boot-failed';
      readonly instance: I;
      readonly failure: BootFailure;
      readonly coldStart: ColdStart;
    }
  | { readonly kind: 'no-memory' }
  | { readonly kind: 'closed' };

/** One revision of one function: what an instance can serve. */
export function groupKeyOf(
  functionKey: string,
  state: Pick<FunctionState, 'functionId' | 'revision'>,
): string {
  return `${functionKey}#${state.functionId}#${state.revision}`;
}
