import { describe, expect, it } from 'vitest';
import { afterFailure } from './retry.policy.js';

const times = { functionErrorMs: 60_000, platformFirstMs: 500, platformLastMs: 60_000 };

describe('afterFailure', () => {
  it("tries again a minute after the function's error, as often as configured", () => {
    expect(afterFailure({ functionErrors: 2, platformErrors: 0 }, 2, times)).toEqual({
      kind: 'wait',
      ms: 60_000,
    });
    expect(afterFailure({ functionErrors: 3, platformErrors: 0 }, 2, times)).toEqual({ kind: 'give-up' });
    expect(afterFailure({ functionErrors: 1, platformErrors: 0 }, 0, times)).toEqual({ kind: 'give-up' });
  });

  it('waits for the platform for ever, longer and longer', () => {
    const waits = [1, 2, 3, 8, 1_000_000].map((platformErrors) =>
      afterFailure({ functionErrors: 99, platformErrors }, 2, times),
    );
    expect(waits).toEqual([500, 1_000, 2_000, 60_000, 60_000].map((ms) => ({ kind: 'wait', ms })));
  });
});
