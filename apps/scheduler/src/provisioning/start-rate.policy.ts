/** Starts may come at once up to what the rate allows in this time. */
const BURST_MS = 6_000;

/** Limits how many instances are started ahead in a time. The clock is an argument. */
export class StartRate {
  private allowance: number;
  private at: number | undefined;

  constructor(private readonly perMinute: number) {
    this.allowance = this.burst;
  }

  /** Whole starts that are allowed now. */
  allowed(now: number): number {
    const passedMs = Math.max(0, now - (this.at ?? now));
    this.at = now;
    this.allowance = Math.min(this.burst, this.allowance + (passedMs * this.perMinute) / 60_000);
    return Math.floor(this.allowance);
  }

  started(count: number): void {
    this.allowance -= count;
  }

  private get burst(): number {
    return Math.max(1, (this.perMinute * BURST_MS) / 60_000);
  }
}
