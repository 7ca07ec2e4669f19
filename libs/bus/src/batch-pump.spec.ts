import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BatchPump } from './batch-pump.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function newPump(maxBatch: number, maxWaitMs: number) {
  const batches: number[][] = [];
  const pending: (() => void)[] = [];
  const pump = new BatchPump<number>({
    maxBatch,
    maxWaitMs,
    handle: (batch) => {
      batches.push(batch);
      return new Promise((resolve) => pending.push(resolve));
    },
  });
  const finish = async (): Promise<void> => {
    pending.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { pump, batches, finish };
}

describe('BatchPump', () => {
  it('hands a full batch over at once and one at a time', async () => {
    const { pump, batches, finish } = newPump(2, 1_000);
    [1, 2, 3, 4].forEach((item) => pump.push(item));
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[1, 2]]);
    await finish();
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('lets the first item wait so long for company, and no longer', async () => {
    const { pump, batches } = newPump(10, 1_000);
    pump.push(1);
    await vi.advanceTimersByTimeAsync(900);
    pump.push(2);
    expect(batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([[1, 2]]);
  });

  it('counts the wait from the arrival, also of what came while a batch was handled', async () => {
    const { pump, batches, finish } = newPump(1, 1_000);
    pump.push(1);
    await vi.advanceTimersByTimeAsync(0);
    const slow = newPump(10, 1_000);
    slow.pump.push(1);
    await vi.advanceTimersByTimeAsync(1_000);
    slow.pump.push(2);
    await vi.advanceTimersByTimeAsync(5_000);
    await slow.finish();
    expect(slow.batches).toEqual([[1], [2]]);
    await finish();
    expect(batches).toEqual([[1]]);
  });

  it('holds everything back between hold and release', async () => {
    const { pump, batches } = newPump(1, 0);
    pump.hold();
    pump.push(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([]);
    pump.release();
    expect(batches).toEqual([[1]]);
  });

  it('closes when the batch under way is done, and forgets the rest', async () => {
    const { pump, batches, finish } = newPump(1, 0);
    pump.push(1);
    pump.push(2);
    await vi.advanceTimersByTimeAsync(0);
    let closed = false;
    void pump.close().then(() => (closed = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(closed).toBe(false);
    await finish();
    expect([closed, batches]).toEqual([true, [[1]]]);
  });
});
