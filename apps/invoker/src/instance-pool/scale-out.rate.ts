const MINUTE_MS = 60_000;

/**
 * How many instances a function starts in a minute (SCF: 500): a bucket that is full at the start and fills up again evenly,
 * so that no window of a minute sees more than twice the rate, and a long one no more than the rate.
 */
export class ScaleOutRate {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(readonly perMinute: number) {}

  take(functionKey: string, now = performance.now()): boolean {
    const bucket = this.buckets.get(functionKey) ?? { tokens: this.perMinute, at: now };
    bucket.tokens = Math.min(
      this.perMinute,
      bucket.tokens + ((now - bucket.at) * this.perMinute) / MINUTE_MS,
    );
    bucket.at = now;
    this.buckets.set(functionKey, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** Forgets who has not started anything for a minute: their buckets are full. */
  forgetOld(now = performance.now()): void {
    for (const [key, { at }] of this.buckets) if (now - at >= MINUTE_MS) this.buckets.delete(key);
  }
}
