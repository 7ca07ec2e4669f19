import type { FunctionState } from '@openscf/contracts';
import type { QuotaLease } from '../quota/quota.types.js';
import type { Acquired, PoolInstance } from './pool.types.js';
import type { Room } from './processor-room.js';

/** Someone who waits for an instance. */
export interface Ticket<I> {
  readonly resolve: (acquired: Acquired<I>) => void;
}

/** An instance as its group sees it. */
export interface Member<I extends PoolInstance> {
  readonly instance: I;
  readonly group: FunctionGroup<I>;
  /** Requests on it that have not been answered, and those that have and are about to give their slot back. */
  requests: number;
  settling: number;
  takenAt: number;
  /** Looks in a row at which it had been busy for much longer than calls take. */
  overdueLooks: number;
  isUp: boolean;
  /** When it became idle. */
  idleSince: number;
}

/**
 * Who finds all instances busy waits for one of them when his turn comes within this time, at the pace at which slots came back
 * lately: no start is much faster, and a burst of short calls starts no herd of instances.
 */
const PATIENCE_MS = 10;
/**
 * The same where the processors have no room: another instance would only make all calls slower, and its start with them. For functions
 * whose calls are short; others spend their time elsewhere.
 */
const CROWDED_PATIENCE_MS = 250;
const SHORT_MS = 50;
/** How often the busy instances are looked at while someone waits. */
export const LOOK_MS = 10;
/**
 * An instance that has been busy for so many times the mean at so many looks in a row counts for nothing in that pace: its call is of
 * another kind. Looks and not ms alone, because an invoker that was itself held up would otherwise take all of them for such.
 */
const OVERDUE_TIMES = 3;
const OVERDUE_LOOKS = 3;
/**
 * Where the processors have room, those who wait earn an instance more: when they have waited for so many times what a start takes, all
 * of them together, it pays for itself. Time that is longer ago than `FORGOTTEN_MS` does not count.
 */
const EARNED_AFTER_STARTS = 10;
const FORGOTTEN_MS = 1_000;
/** Weight of the newest in the mean of how long instances are busy. */
const NEWEST = 0.2;
/** No call is shorter, whatever the clock says. */
const SHORTEST_MS = 0.01;

/**
 * The instances of one revision, and who waits for them. Each serves up to `slots` requests at once.
 *
 * 1. `members` holds all of them; those that may take a request are in `free`, each once.
 * 2. Nobody waits while there is a free slot.
 * 3. Whoever waits is served in order of arrival, by whatever slot is free first: of one that boots or of one that is busy.
 * 4. Whoever waits has an instance booting for him, as far as memory and rate allow, or his turn is a matter of patience.
 *    Where that goes on, one more is started.
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
  /** How long callers have waited since they earned the last instance, and when that was counted. */
  private waitedMs = 0;
  private lookedAt = -Infinity;
  private hasEarned = false;
  private patienceMs = PATIENCE_MS;
  /** Busy members that are overdue. */
  private overdue = 0;
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
  bootsNeeded(): number {
    const unserved = this.waiting.length - this.servedSoon;
    const more = this.isOneMoreDue ? 1 : 0;
    return Math.max(more, Math.ceil(unserved / this.slots)) - this.boots - this.ahead;
  }

  /** A boot is at its turn: is there someone for it? */
  isBootWanted(): boolean {
    if (this.isOneMoreDue) return true;
    return this.waiting.length > (this.started + this.ahead) * this.slots + this.servedSoon;
  }

  /** A boot that a caller asked for begins. */
  bootBegins(): void {
    this.started++;
    this.forgoEarned();
  }

  /** No instance is started for their waiting alone: they go on waiting. @returns whether one was to be */
  forgoEarned(): boolean {
    const { hasEarned } = this;
    this.hasEarned = false;
    this.waitedMs = 0;
    return hasEarned;
  }

  /** How many leases must be held with so many instances busy and so many callers waiting. */
  leasesNeeded(busy = this.busy, waiting = this.waiting.length): number {
    return busy + Math.ceil(waiting / this.slots);
  }

  /** A slot was busy with one call, from when it was taken to when it was free again. */
  wasBusy(forMs: number): void {
    const ms = Math.max(SHORTEST_MS, forMs);
    this.busyMs = this.busyMs === undefined ? ms : this.busyMs + (ms - this.busyMs) * NEWEST;
  }

  /** To be called every `LOOK_MS` while someone waits. */
  look(now: number, room: Room): void {
    const isCrowded = room === 'none' && this.busyMs !== undefined && this.busyMs < SHORT_MS;
    this.patienceMs = isCrowded ? CROWDED_PATIENCE_MS : PATIENCE_MS;
    this.findOverdue(now);
    const elapsed = now - this.lookedAt;
    if (room !== 'some' || elapsed > FORGOTTEN_MS) this.waitedMs = 0;
    this.waitedMs += this.waiting.length * Math.min(elapsed, LOOK_MS);
    this.lookedAt = now;
    this.hasEarned = room === 'some' && this.waitedMs >= EARNED_AFTER_STARTS * Math.max(LOOK_MS, this.coldMs);
  }

  private findOverdue(now: number): void {
    const { busyMs } = this;
    if (busyMs === undefined) return;
    for (const member of this.members) {
      if (member.requests === 0 || member.overdueLooks === OVERDUE_LOOKS) continue;
      if (now - member.takenAt <= Math.max(this.patienceMs, OVERDUE_TIMES * busyMs)) continue;
      if (++member.overdueLooks === OVERDUE_LOOKS) this.overdue++;
    }
  }

  private get isOneMoreDue(): boolean {
    return this.hasEarned && this.waiting.length > 0;
  }

  /** How many of those who wait get a slot in a moment. */
  private get servedSoon(): number {
    if (this.busyMs === undefined) return this.settling;
    const moving = (this.busy - this.overdue) * this.slots;
    return Math.max(this.settling, Math.floor((moving * this.patienceMs) / this.busyMs));
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
    const counters = { requests: 0, settling: 0, takenAt: 0, overdueLooks: 0, isUp: false, idleSince: 0 };
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
    this.moved(member);
    if (member.requests > 0) this.busy--;
    this.settling -= member.settling;
  }

  take(member: Member<I>, now: number): void {
    if (member.requests++ === 0) this.busy++;
    this.moved(member);
    member.takenAt = now;
    this.removeFree(member);
    if (loadOf(member) < this.slots) this.free.push(member);
  }

  /** Its request has been answered, or was not made after all. */
  untake(member: Member<I>): void {
    this.moved(member);
    if (--member.requests === 0) this.busy--;
  }

  /** It is not overdue, or not any more. */
  private moved(member: Member<I>): void {
    if (member.overdueLooks === OVERDUE_LOOKS) this.overdue--;
    member.overdueLooks = 0;
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
