import { describe, expect, it } from 'vitest';
import { receiptAttributes, waitedOf } from './receipt.policy.js';

const coldStart = {
  reason: 'evicted' as const,
  pooled: true,
  totalMs: 40,
  pullCodeMs: 1,
  sandboxMs: 2,
  initRuntimeMs: 3,
  initFunctionMs: 34,
};

describe('the receipt', () => {
  it('tells what was waited before and in the invoker', () => {
    const arrival = { at: 10_005, since: 100 };
    expect(waitedOf({ acceptedAt: 10_000 }, arrival, undefined, 100.25)).toEqual({
      queuedMs: 5,
      placedMs: 0.25,
    });
  });

  it('counts a boot as cold start and not as waiting', () => {
    expect(waitedOf({}, { at: 1, since: 100 }, coldStart, 142)).toEqual({ queuedMs: 0, placedMs: 2 });
    // An instance that was booted for somebody else, or ahead.
    expect(waitedOf({}, { at: 1, since: 100 }, coldStart, 101).placedMs).toBe(0);
  });

  it('is not confused by a sender whose clock is ahead', () => {
    expect(waitedOf({ acceptedAt: 99 }, { at: 1, since: 0 }, undefined, 0).queuedMs).toBe(0);
  });

  it('is in the trace', () => {
    expect(receiptAttributes({ queuedMs: 1, placedMs: 2 }, coldStart)).toMatchObject({
      'scf.queued_ms': 1,
      'scf.placed_ms': 2,
      'faas.coldstart': true,
      'scf.cold_reason': 'evicted',
      'scf.cold_init_ms': 34,
    });
    expect(receiptAttributes({ queuedMs: 1, placedMs: 2 }, undefined)['faas.coldstart']).toBe(false);
  });
});
