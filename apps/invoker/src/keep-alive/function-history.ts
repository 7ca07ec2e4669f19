import { ArrivalHistogram } from './arrival-histogram.js';

/** After so long without calls, half of what counted for the rate is forgotten. */
const HALF_LIFE_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What is remembered of one function's calls. Times are in ms of one clock. */
export class FunctionHistory {
  readonly gaps = new ArrivalHistogram();
  lastCallAt: number | undefined;
  /** What its last cold start took. */
  coldMs = 300;
  private weight = 0;

  called(now: number): void {
    if (this.lastCallAt !== undefined) this.gaps.record(now - this.lastCallAt);
    this.weight = this.decayed(now) + 1;
    this.lastCallAt = now;
  }

  /** Mean over the last half-lives. */
  callsPerMinute(now: number): number {
    return (this.decayed(now) * Math.LN2 * MINUTE_MS) / HALF_LIFE_MS;
  }

  private decayed(now: number): number {
    return this.lastCallAt === undefined ? 0 : this.weight * 0.5 ** ((now - this.lastCallAt) / HALF_LIFE_MS);
  }
}
