import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvokerState } from '@openscf/contracts';
import { orderCandidates, type Candidate } from './invoker-choice.policy.js';

function candidate(invokerId: string, change: Partial<Candidate> = {}): Candidate {
  const state: InvokerState = {
    invokerId,
    epoch: 'e',
    address: 'h:1',
    accepting: true,
    memoryMb: 1,
    usedMemoryMb: 0,
    runtimes: [],
    missingRuntimes: {},
    provisioned: {},
    sentAt: 0,
  };
  return { state, inFlight: 0, fresh: true, ...change };
}

const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `invoker-${i}`);
const first = (key: string, all: readonly Candidate[]): string | undefined =>
  orderCandidates(key, all)[0]?.state.invokerId;

describe('order of invokers', () => {
  it('is a permutation, and the same for the same function', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }), (key, loads) => {
        const all = loads.map((inFlight, i) => candidate(`i${i}`, { inFlight }));
        const order = orderCandidates(key, all);
        expect(new Set(order)).toEqual(new Set(all));
        expect(orderCandidates(key, [...all].reverse()).map((c) => c.state.invokerId)).toEqual(
          order.map((c) => c.state.invokerId),
        );
      }),
    );
  });

  it("spreads functions evenly, and moves only the lost invoker's", () => {
    const all = names(5).map((id) => candidate(id));
    const fewer = all.slice(1);
    const counts = new Map<string, number>();
    for (let i = 0; i < 5_000; i++) {
      const key = `default/function-${i}/$LATEST`;
      const before = first(key, all) ?? '';
      counts.set(before, (counts.get(before) ?? 0) + 1);
      if (before !== 'invoker-0') expect(first(key, fewer)).toBe(before);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(800);
  });

  it('puts an invoker over its share behind the others, and a silent one last', () => {
    const all = names(4).map((id) => candidate(id));
    const preferred = first('f', all) ?? '';
    const loaded = all.map((c) =>
      c.state.invokerId === preferred ? { ...c, inFlight: 40 } : { ...c, inFlight: 2 },
    );
    expect(first('f', loaded)).not.toBe(preferred);
    const silent = loaded.map((c) => ({ ...c, fresh: c.state.invokerId === preferred }));
    expect(first('f', silent)).toBe(preferred);
  });
});
