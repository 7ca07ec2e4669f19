import { ArrivalHistogram } from './arrival-histogram.js';
import type { GapsOfAll } from './gaps-of-all.js';

/** After so long without calls, half of what counted for the rate is forgotten. */
const HALF_LIFE_MS = 3_600_000;

/** What is remembered of one function. Calls by timers are no part of its rate and gaps: they are known. Times are in ms of one clock. */
export class FunctionHistory {
  /** What its last cold start took. */
  coldMs = 300;
  /** The tick of a timer that was last seen to be the next one. */
  tick: number | undefined;
  private readonly gaps = new ArrivalHistogram();
  private likeOthers: ArrivalHistogram | undefined;
  private lastCallAt: number | undefined;
  private weight = 0;

  constructor(private readonly ofAll: GapsOfAll) {}

  /** Not by a timer. */
  called(now: number): void {
    const gapMs = this.lastCallAt === undefined ? Infinity : now - this.lastCallAt;
    if (this.lastCallAt !== undefined) this.gaps.record(gapMs);
    this.likeOthers?.record(gapMs);
    this.likeOthers = this.ofAll.after(gapMs);
    this.weight = this.decayed(now) + 1;
    this.lastCallAt = now;
  }

  /** Calls to be expected, but for those by timers, for each ms that an instance waits for the next one, for at most `withinMs`. */
  callsPerMs(now: number, withinMs: number): number {
    const { lastCallAt, likeOthers, gaps } = this;
    if (lastCallAt === undefined || likeOthers === undefined) return 0;
    const ageMs = Math.max(0, now - lastCallAt);
    const meanPerMs = (this.decayed(now) * Math.LN2) / HALF_LIFE_MS;
    const usualPerMs = (meanPerMs + likeOthers.callsPerMs(ageMs, withinMs, meanPerMs)) / 2;
    return gaps.callsPerMs(ageMs, withinMs, usualPerMs);
  }

  private decayed(now: number): number {
    return this.lastCallAt === undefined ? 0 : this.weight * 0.5 ** ((now - this.lastCallAt) / HALF_LIFE_MS);
  }
}
