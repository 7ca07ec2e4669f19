import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watermark } from './watermark.policy.js';

/** Ascending offsets with gaps, as compaction and transactions leave them. */
const offsets = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3_000 })
  .map((steps) => steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? 0) + step], []));
const fewOffsets = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 60 })
  .map((steps) => steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? 0) + step], []));

describe('Watermark', () => {
  it('starts where it is told', () => {
    expect(new Watermark(7).position).toBe(7);
  });

  it('stops before the first offset that is not settled', () => {
    const watermark = new Watermark(0);
    [0, 1, 2].forEach((offset) => watermark.take(offset));
    watermark.settle(0);
    watermark.settle(2);
    expect(watermark.position).toBe(1);
    watermark.settle(1);
    expect([watermark.position, watermark.span]).toEqual([3, 0]);
  });

  it('ignores offsets that were never taken or are settled already', () => {
    const watermark = new Watermark(5);
    watermark.take(5);
    watermark.settle(9);
    watermark.settle(1);
    expect(watermark.position).toBe(5);
    watermark.settle(5);
    watermark.settle(5);
    expect(watermark.position).toBe(6);
  });

  it('never passes an unsettled offset, never moves back, whatever the order of settling', () => {
    const plan = fewOffsets.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all)));
    fc.assert(
      fc.property(plan, ([all, settled]) => {
        const watermark = new Watermark(0);
        all.forEach((offset) => watermark.take(offset));
        const done = new Set<number>();
        let before = watermark.position;
        for (const offset of settled) {
          watermark.settle(offset);
          done.add(offset);
          const firstOpen = all.find((taken) => !done.has(taken));
          expect(watermark.position).toBe(firstOpen ?? watermark.end);
          expect(watermark.position).toBeGreaterThanOrEqual(before);
          before = watermark.position;
        }
      }),
    );
  });

  it('takes every offset once, however often it is delivered', () => {
    fc.assert(
      fc.property(fewOffsets, fc.array(fc.nat(59)), (all, rewinds) => {
        const watermark = new Watermark(0);
        const seen: number[] = [];
        const deliver = (from: number): void => {
          for (const offset of all.slice(from)) if (watermark.take(offset)) seen.push(offset);
        };
        rewinds.forEach((from) => deliver(Math.min(from, all.length - 1)));
        deliver(0);
        expect(new Set(seen).size).toBe(seen.length);
      }),
    );
  });

  it('forgets what is settled', () => {
    fc.assert(
      fc.property(offsets, (all) => {
        const watermark = new Watermark(0);
        for (const offset of all) {
          watermark.take(offset);
          watermark.settle(offset);
        }
        expect([watermark.span, watermark.position]).toEqual([0, watermark.end]);
      }),
      { numRuns: 20 },
    );
  });
});
