import { describe, expect, it } from 'vitest';
import { StartRate } from './start-rate.policy.js';

describe('the rate of starts', () => {
  it('lets a few start at once, and as many in a minute as it says', () => {
    const rate = new StartRate(100);
    let started = 0;
    for (let now = 0; now <= 60_000; now += 2_000) {
      const allowed = rate.allowed(now);
      rate.started(allowed);
      if (now === 0) expect(allowed).toBe(10);
      started += allowed;
    }
    expect(started).toBeGreaterThanOrEqual(100);
    expect(started).toBeLessThanOrEqual(110);
  });

  it('allows at least one, however slow', () => {
    const rate = new StartRate(1);
    expect(rate.allowed(0)).toBe(1);
    rate.started(1);
    expect([rate.allowed(59_000), rate.allowed(60_000)]).toEqual([0, 1]);
  });
});
