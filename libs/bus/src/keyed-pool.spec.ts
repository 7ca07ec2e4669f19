import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedPool } from './keyed-pool.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('KeyedPool', () => {
  it('runs everything once, each lane in order and alone, never more at once than allowed', async () => {
    const plan = fc.array(fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 1, max: 5 }), async (lanes, concurrency) => {
        const pool = new KeyedPool(concurrency);
        const done: number[] = [];
        const active = new Set<string>();
        let running = 0;
        lanes.forEach((lane, index) =>
          pool.add(lane, async () => {
            expect((running += 1)).toBeLessThanOrEqual(concurrency);
            if (lane !== undefined) expect(active.has(lane)).toBe(false);
            if (lane !== undefined) active.add(lane);
            await turn();
            if (lane !== undefined) active.delete(lane);
            running -= 1;
            done.push(index);
          }),
        );
        while (done.length < lanes.length) await turn();
        for (const lane of ['a', 'b', 'c']) {
          const order = done.filter((index) => lanes[index] === lane);
          expect(order).toEqual([...order].sort((one, other) => one - other));
        }
        expect(new Set(done).size).toBe(lanes.length);
      }),
      { numRuns: 50 },
    );
  });

  it('closes when what runs is done, and forgets what has not begun', async () => {
    const pool = new KeyedPool(1);
    const ran: string[] = [];
    let finish: () => void = () => undefined;
    pool.add('a', () => {
      ran.push('first');
      return new Promise((resolve) => (finish = resolve));
    });
    pool.add('a', () => Promise.resolve(void ran.push('second')));
    const closed = pool.close();
    finish();
    await closed;
    pool.add('b', () => Promise.resolve(void ran.push('third')));
    await turn();
    expect(ran).toEqual(['first']);
  });
});
