import type { FunctionState } from '@openscf/contracts';
import type { Acquired, PoolInstance } from './pool.types.js';

/** Someone who waits for an instance. */
export interface Ticket<I> {
  readonly resolve: (acquired: Acquired<I>) => void;
}

/**
 * The instances of one revision, and who waits for them.
 *
 * 1. An instance is in exactly one of `idle`, `busy`, `booting`; `members` holds all of them.
 * 2. Nobody waits while an instance is idle.
 * 3. Whoever waits is served in order of arrival, by whatever instance is free first: one that boots or one that comes back.
 */
export class FunctionGroup<I extends PoolInstance> {
  /** Most recently used last. */
  readonly idle: I[] = [];
  readonly members = new Set<I>();
  readonly waiting: Ticket<I>[] = [];
  /** Boots that were asked for and have not ended. */
  boots = 0;
  /** Those of them that run. */
  started = 0;
  /** Instances whose invocation has been answered and that are about to come back. */
  settling = 0;
  /** Another revision has taken its place, or the function is gone: nothing is kept. */
  retired = false;

  constructor(
    readonly functionKey: string,
    readonly state: FunctionState,
  ) {}

  /** Who waits and is not served by what comes back or boots already. */
  get bootsNeeded(): number {
    return this.waiting.length - this.boots - this.settling;
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.waiting.length === 0 && this.boots === 0;
  }

  takeIdle(): I | undefined {
    return this.idle.pop();
  }

  removeIdle(instance: I): boolean {
    const at = this.idle.indexOf(instance);
    if (at < 0) return false;
    this.idle.splice(at, 1);
    return true;
  }
}
