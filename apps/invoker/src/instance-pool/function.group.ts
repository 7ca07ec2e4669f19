import type { FunctionState } from '@openscf/contracts';
import type { QuotaLease } from '../quota/quota.types.js';
import type { Acquired, PoolInstance } from './pool.types.js';

/** Someone who waits for an instance. */
export interface Ticket<I> {
  readonly resolve: (acquired: Acquired<I>) => void;
  /** When it came. */
  readonly since: number;
}

/** An instance as its group sees it. */
export interface Member<I extends PoolInstance> {
  readonly instance: I;
  readonly group: FunctionGroup<I>;
  /** Requests on it that have not been answered, and those that have and are about to give their slot back. */
  requests: number;
  settling: number;
  takenAt: number;
  isUp: boolean;
  /** When it became idle. */
  idleSince: number;
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
 * The instances of one revision, and who waits for them. Each serves up to `slots` requests at once.
 *
 * 1. `members` holds all of them; those that may take a request are in `free`, each once.
 * 2. Nobody waits while there is a free slot.
 * 3. Whoever waits is served in order of arrival, by whatever slot is free first: of one that boots or of one that is busy.
 * 4. Whoever waits for longer than `WAITED_TOO_LONG_MS` has an instance booting for him, as far as memory and rate allow.
 * 5. `leases` has one for each instance that is busy, and for each that those who wait need: never fewer while they come, and
 *    cut to that when a request ends.
 */
export class FunctionGroup<I extends PoolInstance> {
  /** Most recently used last. */
  readonly free: Member<I>[] = [];
  readonly members = new Set<Member<I>>();
  readonly waiting: Ticket<I>[] = [];
  readonly leases: QuotaLease[] = [];
  readonly slots: number;
  /** Boots that callers asked for and that have not ended; those of them that run. */
  boots = 0;
  started = 0;
  /** Boots for nobody who waits: to have instances ready. */
  ahead = 0;
  /** How many of these failed in turn, and when the next may be tried. */
  aheadFailures = 0;
  aheadAfter = 0;
  /** How many instances are to be there at all times. */
  provisioned = 0;
  /** Members that have started. */
  up = 0;
  /** Members with requests. */
  busy = 0;
  /** Slots whose request has been answered and that are about to be free. */
  settling = 0;
  /** What the last start took. */
  coldMs = 0;
  /** Mean of how long a slot is busy with a call; undefined before the first. */
  private busyMs: number | undefined;
  /** Another revision has taken its place, or the function is gone: nothing is kept. */
  retired = false;

  constructor(
    readonly functionKey: string,
    readonly state: FunctionState,
  ) {
    this.slots = state.instanceConcurrency;
  }

  /** Boots that those need who wait and are not served by what comes back soon or boots already. */
  bootsNeeded(now: number): number {
    const unserved = this.waiting.length - this.servedSoon(now);
    return Math.ceil(unserved / this.slots) - this.boots - this.ahead;
  }

  /** A boot is at its turn: is there someone for it? */
  isBootWanted(now: number): boolean {
    return this.waiting.length > (this.started + this.ahead) * this.slots + this.servedSoon(now);
  }

  /** How many leases must be held with so many instances busy and so many callers waiting. */
  leasesNeeded(busy = this.busy, waiting = this.waiting.length): number {
    return busy + Math.ceil(waiting / this.slots);
  }

  /** A slot was busy with one call, from when it was taken to when it was free again. */
  wasBusy(ms: number): void {
    this.busyMs = this.busyMs === undefined ? ms : this.busyMs + (ms - this.busyMs) * NEWEST;
  }

  /** How many of those who wait get a slot in a moment. */
  private servedSoon(now: number): number {
    const oldest = this.waiting[0];
    if (oldest === undefined || this.busyMs === undefined || now - oldest.since >= WAITED_TOO_LONG_MS) {
      return this.settling;
    }
    return Math.max(this.settling, Math.floor((this.busy * this.slots * WAIT_FOR_BUSY_MS) / this.busyMs));
  }

  get isEmpty(): boolean {
    const pending = this.boots + this.ahead + this.waiting.length + this.provisioned;
    return this.members.size === 0 && pending === 0;
  }

  /** How many of its idle instances may go without having fewer than are provisioned. */
  get spare(): number {
    return Math.max(0, this.up - this.provisioned);
  }

  /**
   * The slot that the next request gets: of the most loaded instance that has one, so that the others become idle and can
   * go; among equals the most recently used, whose caches are warm.
   */
  next(): Member<I> | undefined {
    let best = this.free.at(-1);
    if (this.slots === 1 || best === undefined) return best;
    for (const member of this.free) if (loadOf(member) >= loadOf(best)) best = member;
    return best;
  }

  add(instance: I): Member<I> {
    const counters = { requests: 0, settling: 0, takenAt: 0, isUp: false, idleSince: 0 };
    const member: Member<I> = { instance, group: this, ...counters };
    this.members.add(member);
    return member;
  }

  /** It has started. */
  cameUp(member: Member<I>): void {
    member.isUp = true;
    this.up++;
  }

  /** It is no more, whatever it did. */
  remove(member: Member<I>): void {
    this.removeFree(member);
    if (!this.members.delete(member)) return;
    if (member.isUp) this.up--;
    if (member.requests > 0) this.busy--;
    this.settling -= member.settling;
  }

  take(member: Member<I>, now: number): void {
    if (member.requests++ === 0) this.busy++;
    member.takenAt = now;
    this.removeFree(member);
    if (loadOf(member) < this.slots) this.free.push(member);
  }

  /** Its request has been answered, or was not made after all. */
  untake(member: Member<I>): void {
    if (--member.requests === 0) this.busy--;
  }

  removeFree(member: Member<I>): void {
    // Nearly always the last.
    const at = this.free.lastIndexOf(member);
    if (at >= 0) this.free.splice(at, 1);
  }
}

export function loadOf({ requests, settling }: Pick<Member<PoolInstance>, 'requests' | 'settling'>): number {
  return requests + settling;
}
