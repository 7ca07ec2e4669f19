import { describe, expect, it } from 'vitest';
import { FunctionSlots } from './function-slots.policy.js';

function slots(total = 10, perFunction = 4): { slots: FunctionSlots; clock: { now: number } } {
  const clock = { now: 0 };
  return { slots: new FunctionSlots({ total, perFunction, now: () => clock.now }), clock };
}

function fill(target: FunctionSlots, functionKey: string): number {
  let taken = 0;
  while (target.tryAcquire(functionKey)) taken += 1;
  return taken;
}

describe('FunctionSlots', () => {
  it('bounds each function and the total', () => {
    const { slots: s } = slots();
    expect(['a', 'b', 'c', 'd'].map((key) => fill(s, key))).toEqual([4, 4, 2, 0]);
    s.release('a', 'ran');
    expect(['a', 'd'].map((key) => fill(s, key))).toEqual([1, 0]);
  });

  it('follows what the invokers take: shrinks when throttled, grows with what ran', () => {
    const { slots: s } = slots(100, 64);
    fill(s, 'a');
    for (let i = 0; i < 32; i++) s.release('a', 'throttled');
    expect(s.freeOf('a')).toBe(0);
    for (let i = 0; i < 32; i++) s.release('a', 'throttled');
    expect(s.freeOf('a')).toBe(1);
    for (let i = 0; i < 40; i++) {
      s.tryAcquire('a');
      s.release('a', 'ran');
    }
    expect(s.freeOf('a')).toBeGreaterThan(6);
    expect(s.freeOf('a')).toBeLessThanOrEqual(64);
    expect(s.freeOf('b')).toBe(64);
  });

  it('forgets a throttled function after a while', () => {
    const { slots: s, clock } = slots();
    s.tryAcquire('a');
    s.release('a', 'throttled');
    expect(s.busy()).toEqual([{ functionKey: 'a', free: 1 }]);
    clock.now = 60_001;
    s.tryAcquire('a');
    s.release('a', 'refused');
    expect(s.busy()).toEqual([]);
  });

  it('tells when a slot is free again', () => {
    const { slots: s } = slots();
    let released = 0;
    const stop = s.onRelease(() => (released += 1));
    s.acquire('a');
    s.release('a', 'ran');
    stop();
    s.acquire('a');
    s.release('a', 'ran');
    expect(released).toBe(1);
    expect(s.inFlight).toBe(0);
  });
});
