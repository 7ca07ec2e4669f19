import type { FunctionState } from '@openscf/contracts';
import type { Acquired, PoolInstance } from './pool.types.js';

/** Someone who waits for an instance. */
export interface Ticket<I> {
  readonly resolve: (acquired: Acquired<I>) => void;
  /** When it came. */
  readonly since: number;
}

/**
 * Who finds all instances busy is served by one of them when that is a matter of this time, as seen from how long they
 * were busy lately: much less than any start takes, and a burst of short calls starts no herd of instances.
 */
const WAIT_FOR_BUSY_MS = 5;
/** Who has waited for this long has waited for nothing: an instance is started all the same. */
export const WAITED_TOO_LONG_MS = 20;
/** Weight of the newest in the mean of how long instances are busy. */
const NEWEST = 0.2;

/**
 * The instances of one revision, and who waits for them.
 *
 * 1. An instance is in exactly one of `idle`, `busy`, `booting`; `members` holds all of them.
 * 2. Nobody waits while an instance is idle.
 * 3. Whoever waits is served in order of arrival, by whatever instance is free first: one that boots or one that comes back.
 * 4. Whoever waits for longer than `WAITED_TOO_LONG_MS` has an instance booting for him, as far as memory allows.
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
  /** Mean of how long an instance is busy with a call; undefined before the first. */
  private busyMs: number | undefined;
  /** Another revision has taken its place, or the function is gone: nothing is kept. */
  retired = false;

  constructor(
    readonly functionKey: string,
    readonly state: FunctionState,
  ) {}

  /** Who waits and is not served by what comes back soon or boots already. */
  bootsNeeded(now: number): number {
    return this.waiting.length - this.boots - this.servedSoon(now);
  }

  /** A boot is at its turn: is there someone for it? */
  isBootWanted(now: number): boolean {
    return this.waiting.length > this.started + this.servedSoon(now);
  }

  /** An instance was busy with one call, from when it was taken to when it was free again. */
  wasBusy(ms: number): void {
    this.busyMs = this.busyMs === undefined ? ms : this.busyMs + (ms - this.busyMs) * NEWEST;
  }

  /** How many of those who wait get an instance in a moment. */
  private servedSoon(now: number): number {
    const oldest = this.waiting[0];
    if (oldest === undefined || this.busyMs === undefined || now - oldest.since >= WAITED_TOO_LONG_MS) {
      return this.settling;
    }
    const busy = this.members.size - this.started - this.idle.length;
    return Math.max(this.settling, Math.floor((busy * WAIT_FOR_BUSY_MS) / this.busyMs));
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
