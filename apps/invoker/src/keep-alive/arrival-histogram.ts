/** Widths grow by this factor: an eighth of the time is near enough. */
const GROWTH = 1.125;
const FIRST_MS = 1_000;
/** Longer gaps say nothing that would be acted on. */
const LAST_MS = 6 * 3_600_000;
const BINS = Math.ceil(Math.log(LAST_MS / FIRST_MS) / Math.log(GROWTH)) + 1;
/** Gaps before it says anything. */
const ENOUGH = 5;
/** Older gaps count less: with this many they are halved. */
const HALVED_AT = 200;

/** When the next call is to be expected, in ms after the last one. */
export interface ArrivalWindow {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/**
 * How long a function has waited between its calls: a histogram with bins of growing width. After "Serverless in the Wild"
 * (Shahrad and others, 2020), which found that it tells idle times for most functions.
 */
export class ArrivalHistogram {
  private readonly bins = new Float64Array(BINS);
  private total = 0;

  record(gapMs: number): void {
    this.bins[binOf(gapMs)] = (this.bins[binOf(gapMs)] ?? 0) + 1;
    if (++this.total < HALVED_AT) return;
    this.total = 0;
    for (let bin = 0; bin < BINS; bin++) {
      this.bins[bin] = Math.floor((this.bins[bin] ?? 0) / 2);
      this.total += this.bins[bin] ?? 0;
    }
  }

  /**
   * Between what shares of all gaps the next one lies.
   * @returns undefined when there are too few gaps, or some are too long to be known
   */
  window(from = 0.05, to = 0.99): ArrivalWindow | undefined {
    if (this.total < ENOUGH) return undefined;
    const [first, last] = [this.bin(from), this.bin(to)];
    if (last === BINS - 1) return undefined;
    return { earliestMs: startOf(first), latestMs: startOf(last + 1) };
  }

  private bin(share: number): number {
    let seen = 0;
    for (let bin = 0; bin < BINS; bin++) {
      seen += this.bins[bin] ?? 0;
      if (seen >= share * this.total && seen > 0) return bin;
    }
    return BINS - 1;
  }
}

function binOf(gapMs: number): number {
  if (gapMs < FIRST_MS) return 0;
  return Math.min(BINS - 1, 1 + Math.floor(Math.log(gapMs / FIRST_MS) / Math.log(GROWTH)));
}

function startOf(bin: number): number {
  return bin === 0 ? 0 : FIRST_MS * GROWTH ** (bin - 1);
}
