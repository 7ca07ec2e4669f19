import { describe, expect, it } from 'vitest';
import { COOL_DOWN_MS, UtilizationTracking } from './tracking.policy.js';

const tracking = { target: 0.5, minInstances: 2, maxInstances: 20 };

describe('utilization tracking', () => {
  it('goes up at once, within bounds, and down after a cool-down to what was needed in it', () => {
    const policy = new UtilizationTracking();
    const ask = (now: number, busy: number) =>
      policy.instances('a', { tracking, instances: 4, current: 0, busy, now });
    expect([ask(0, 0), ask(1, 3), ask(2, 50)]).toEqual([4, 6, 20]);
    expect(ask(1_000, 1)).toBe(20);
    expect(ask(30_000, 4)).toBe(20);
    expect(ask(2 + COOL_DOWN_MS, 1)).toBe(8);
    expect(ask(1 + 2 * COOL_DOWN_MS, 0)).toBe(8);
    expect(ask(2 + 2 * COOL_DOWN_MS, 0)).toBe(2);
  });

  it('goes on after a restart from what is provisioned', () => {
    const policy = new UtilizationTracking();
    const ask = (now: number) => policy.instances('a', { tracking, instances: 2, current: 12, busy: 1, now });
    expect([ask(0), ask(COOL_DOWN_MS - 1), ask(COOL_DOWN_MS)]).toEqual([12, 12, 2]);
    policy.keep(new Set());
    expect(ask(COOL_DOWN_MS)).toBe(12);
  });
});
