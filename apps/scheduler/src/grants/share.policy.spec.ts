import { describe, expect, it } from 'vitest';
import { shares, type Sharer } from './share.policy.js';

function sharer(invokerId: string, changes: Partial<Sharer> = {}): Sharer {
  return {
    invokerId,
    accepting: true,
    usedMb: 0,
    peakMb: 0,
    wantedMb: 0,
    unitMb: 128,
    wantedSince: 0,
    sentAt: 1_000,
    heldMb: 0,
    capMb: 100_000,
    ...changes,
  };
}

const divide = (quotaMb: number, sharers: Sharer[], unitMb = 128) =>
  Object.fromEntries(shares(quotaMb, unitMb, sharers));

describe('the parts of a pool', () => {
  it('are equal where nobody has used anything, and no larger than a host can run', () => {
    expect(divide(1_024, [sharer('a'), sharer('b')])).toEqual({ a: 512, b: 512 });
    expect(divide(1_000, [sharer('a', { capMb: 128 }), sharer('b')])).toEqual({ a: 128, b: 872 });
  });

  it('are never smaller than a function: one has it where it is enough for one', () => {
    expect(divide(128, [sharer('a'), sharer('b')])).toEqual({ a: 128, b: 0 });
    expect(divide(128, [sharer('a'), sharer('b', { heldMb: 128 })])).toEqual({ a: 0, b: 128 });
    expect(divide(640, [sharer('a'), sharer('b')], 512)).toEqual({ a: 640, b: 0 });
  });

  it('stay while they serve everyone', () => {
    const held = [sharer('a', { heldMb: 768, usedMb: 384, peakMb: 512 }), sharer('b', { heldMb: 256 })];
    expect(divide(1_024, held)).toEqual({ a: 768, b: 256 });
  });

  it('leave everyone what was used lately, give whole functions to who was refused, and divide the rest', () => {
    const used = sharer('a', { heldMb: 896, usedMb: 256, peakMb: 384 });
    const refused = sharer('b', { heldMb: 128, usedMb: 128, wantedMb: 512, unitMb: 256, peakMb: 128 });
    expect(divide(1_024, [used, refused])).toEqual({ a: 384, b: 640 });
    const both = ['a', 'b'].map((id) => sharer(id, { wantedMb: 9_000, unitMb: 512 }));
    expect(divide(1_024, both)).toEqual({ a: 512, b: 512 });
    expect(divide(512, both)).toEqual({ a: 512, b: 0 });
  });

  it('are not taken from one who may be serving just what another was refused', () => {
    const holder = sharer('a', { heldMb: 128, sentAt: 500 });
    const refused = sharer('b', { wantedMb: 128, wantedSince: 900 });
    expect(divide(128, [holder, refused])).toEqual({ a: 128, b: 0 });
    expect(divide(128, [{ ...holder, sentAt: 901 }, refused])).toEqual({ a: 0, b: 128 });
    expect(divide(128, [{ ...holder, sentAt: 901, peakMb: 128 }, refused])).toEqual({ a: 128, b: 0 });
  });

  it('become even where more is used and wanted than there is, and stay where one more function makes the difference', () => {
    const full = sharer('a', { heldMb: 1_024, usedMb: 1_024, peakMb: 1_024, wantedMb: 512 });
    const refused = sharer('b', { wantedMb: 2_048 });
    expect(divide(1_024, [full, refused])).toEqual({ a: 512, b: 512 });
    const odd = sharer('a', { heldMb: 384, usedMb: 384, peakMb: 384, wantedMb: 128 });
    expect(divide(384, [odd, refused])).toEqual({ a: 256, b: 128 });
    expect(divide(384, [{ ...odd, wantedMb: 0 }, sharer('b')])).toEqual({ a: 384, b: 0 });
  });

  it('of one that drains are what it uses', () => {
    expect(divide(1_024, [sharer('a', { heldMb: 512, usedMb: 128, accepting: false }), sharer('b')])).toEqual(
      {
        a: 128,
        b: 896,
      },
    );
  });
});
