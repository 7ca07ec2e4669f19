import type { Grant } from '@openscf/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { QuotaMeter } from './quota.meter.js';

describe('quota meter', () => {
  let grant: Grant | undefined;
  let now: number;
  let meter: QuotaMeter;

  beforeEach(() => {
    now = 1_000;
    grant = { invokerId: 'i', epoch: 'e', concurrencyMb: 256, issuedAt: 900, expiresAt: 2_000 };
    meter = new QuotaMeter(
      () => grant,
      'e',
      () => now,
    );
  });

  it('lets the use grow to the grant and no further', () => {
    expect([meter.take(128), meter.take(128), meter.take(64)]).toEqual(['taken', 'taken', 'over']);
    meter.give(128);
    expect(meter.take(64)).toBe('taken');
    expect(meter.inUseMb).toBe(192);
  });

  it('takes nothing without a grant, with one for another process, or with one that has expired', () => {
    now = 2_000;
    expect(meter.take(1)).toBe('no-grant');
    now = 1_000;
    grant = { ...(grant as Grant), epoch: 'earlier' };
    expect(meter.take(1)).toBe('no-grant');
    grant = undefined;
    expect(meter.take(1)).toBe('no-grant');
    expect(meter.limitMb).toBe(0);
  });

  it('says which grant it keeps to: a smaller one only when what runs fits into it', () => {
    meter.take(256);
    expect(meter.grantIssuedAt).toBe(900);
    grant = { ...(grant as Grant), concurrencyMb: 128, issuedAt: 1_000 };
    expect(meter.grantIssuedAt).toBe(900);
    expect(meter.take(1)).toBe('over');
    meter.give(128);
    expect(meter.grantIssuedAt).toBe(1_000);
  });
});
