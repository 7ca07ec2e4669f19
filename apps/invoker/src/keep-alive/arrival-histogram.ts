/** Widths grow by this factor: an eighth of the time is near enough. */
const GROWTH = 1.125;
const FIRST_MS = 1_000;
/** Longer gaps are all alike. */
const LAST_MS = 6 * 3_600_000;
const BINS = Math.ceil(Math.log(LAST_MS / FIRST_MS) / Math.log(GROWTH)) + 1;
const STARTS = Float64Array.from({ length: BINS }, (_, bin) =>
  bin === 0 ? 0 : FIRST_MS * GROWTH ** (bin - 1),
);
/** Older gaps count less: with this many they are halved. */
const HALVED_AT = 200;
/** What is usual counts as much as so many calls. */
const DOUBT = 3;

/**
 * How long a function has waited between its calls: a histogram with bins of growing width. After "Serverless in the Wild"
 * (Shahrad and others, 2020), which found that it tells idle times for most functions.
 */
export class ArrivalHistogram {
  private readonly bins = new Float64Array(BINS);
  private total = 0;

  record(gapMs: number): void {
    const at = binOf(gapMs);
    this.bins[at] = (this.bins[at] ?? 0) + 1;
    if (++this.total < HALVED_AT) return;
    this.total = 0;
    for (let bin = 0; bin < BINS; bin++) {
      this.bins[bin] = Math.floor((this.bins[bin] ?? 0) / 2);
      this.total += this.bins[bin] ?? 0;
    }
  }

  /**
   * Calls to be expected for each ms that one waits for the next, `ageMs` after the last one and for at most `withinMs`: of the gaps that
   * were longer than `ageMs`, how many ended in that time, by how long they took to. After "LHD: Improving Cache Hit Rate by
   * Maximizing Hit Density" (Beckmann and others, 2018).
   * @param usualPerMs the function's mean rate, to which is drawn what few gaps say
   */
  callsPerMs(ageMs: number, withinMs: number, usualPerMs: number): number {
    const until = ageMs + withinMs;
    let calls = DOUBT;
    let waitedMs = DOUBT / usualPerMs;
    for (let bin = binOf(ageMs); bin < BINS; bin++) {
      const gaps = this.bins[bin] ?? 0;
      if (gaps === 0) continue;
      const start = STARTS[bin] ?? 0;
      const end = STARTS[bin + 1] ?? Infinity;
      const from = Math.max(start, ageMs);
      const to = Math.max(from, Math.min(end, until));
      const longer = end === Infinity ? gaps : (gaps * (end - from)) / (end - start);
      const ended = (gaps * (to - from)) / (end - start);
      calls += ended;
      waitedMs += ended * ((from + to) / 2 - ageMs) + (longer - ended) * withinMs;
    }
    return calls / waitedMs;
  }
}

function binOf(gapMs: number): number {
  if (gapMs < FIRST_MS) return 0;
  return Math.min(BINS - 1, 1 + Math.floor(Math.log(gapMs / FIRST_MS) / Math.log(GROWTH)));
}
