import { ArrivalHistogram } from './arrival-histogram.js';

/** Twice as long is another kind. */
const KINDS = 16;
const FIRST_MS = 1_000;

/** How long all functions waited for their next call, by how long they had waited for the one before: what is known of those that are called seldom. */
export class GapsOfAll {
  private readonly byLastGap = Array.from({ length: KINDS }, () => new ArrivalHistogram());

  /** @param lastGapMs Infinity for the first call of a function */
  after(lastGapMs: number): ArrivalHistogram {
    const kind = Math.min(KINDS - 1, Math.floor(Math.log2(1 + lastGapMs / FIRST_MS)));
    return this.byLastGap[kind] ?? new ArrivalHistogram();
  }
}
