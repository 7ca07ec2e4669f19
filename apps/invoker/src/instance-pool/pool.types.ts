import type { ColdReason, ColdStart, FunctionState } from '@openscf/contracts';
import type { QuotaTaken } from '../quota/quota.types.js';
import type { BootFailure, BootOutcome, BootTurn } from '../instance/instance.types.js';

/** What the pool needs of an instance. */
export interface PoolInstance {
  readonly id: string;
  /** May it be given another request? */
  readonly usable: boolean;
  boot(reason: ColdReason, turn: BootTurn): Promise<BootOutcome>;
  destroy(): Promise<void>;
}

/** Why a call gets no instance, or none yet. */
export type Refusal =
  | Exclude<QuotaTaken, { kind: 'taken' }>
  | { readonly kind: 'no-memory' }
  /** The function has started as many instances in the last minute as it may. */
  | { readonly kind: 'too-fast'; readonly perMinute: number }
  | { readonly kind: 'closed' };

/** What a caller gets that asks for an instance: a slot of it, which it gives back by `settling` and `release`. */
export type Acquired<I> =
  | { readonly kind: 'instance'; readonly instance: I }
  | {
      readonly kind: 'boot-failed';
      readonly instance: I;
      readonly failure: BootFailure;
      readonly coldStart: ColdStart;
    }
  | Refusal;

/** Started processes that are kept ahead: they hold memory, which whoever has a use for it gets at once. */
export interface SpareMemory {
  readonly heldMb: number;
  /** Gives up as much as is needed, or all there is. */
  free(neededMb: number): void;
}

/** One revision of one function: what an instance can serve. */
export function groupKeyOf(
  functionKey: string,
  state: Pick<FunctionState, 'functionId' | 'revision'>,
): string {
  return `${functionKey}#${state.functionId}#${state.revision}`;
}
