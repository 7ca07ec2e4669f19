import type { FunctionState } from '@openscf/contracts';
import { describe, expect, it, vi } from 'vitest';
import { InstancePool } from './instance-pool.js';
import { FixedKeepAlive } from './keep-alive.types.js';
import { QuotaFake } from './quota.fake.js';
import { ScaleOutRate } from './scale-out.rate.js';
import { busyInstanceOf, finishOn, ScriptedInstance, turn } from './scripted-instance.fake.js';

function state(name: string, change: Partial<FunctionState> = {}): FunctionState {
  const usual = { functionId: 'lam-1', revision: 1, memoryMb: 128, instanceConcurrency: 1 };
  return { ...usual, functionName: name, ...change } as FunctionState;
}

describe('instance pool that starts ahead', () => {
  let made: ScriptedInstance[];
  let pool: InstancePool<ScriptedInstance>;
  let clock: number;
  /** Values of functions; what is not here is worth nothing. */
  let values: Record<string, number>;
  let goneFor: string[];

  class ScriptedKeepAlive extends FixedKeepAlive {
    override value(functionKey = ''): number {
      return values[functionKey] ?? 0;
    }
    override gone(functionKey = ''): void {
      goneFor.push(functionKey);
    }
  }

  function makePool(memoryMb: number): void {
    made = [];
    values = {};
    goneFor = [];
    clock = 0;
    pool = new InstancePool({
      memoryMb,
      bootsAtOnce: 3,
      quota: new QuotaFake(),
      keepAlive: new ScriptedKeepAlive(1_000),
      rate: new ScaleOutRate(500),
      now: () => clock,
      log: () => undefined,
      processors: { look: () => 'some' as const },
      create: (_key, of) => {
        const instance = new ScriptedInstance(of);
        made.push(instance);
        return instance;
      },
    });
  }

  async function acquireBooted(name: string): Promise<ScriptedInstance> {
    const asked = pool.acquire(name, state(name));
    await turn();
    made.at(-1)?.ready();
    return busyInstanceOf(await asked);
  }

  const finish = (instance: ScriptedInstance): void => finishOn(pool, instance);

  it('starts ahead for a known call what is worth more than what must go', async () => {
    makePool(256);
    for (const name of ['a', 'b']) finish(await acquireBooted(name));
    values = { a: 2, b: 3, c: 1, d: 4 };
    expect(pool.prewarm('c', state('c'), true)).toBe(false);
    expect(pool.prewarm('d', state('d'), true)).toBe(true);
    expect(made.map(({ phase }) => phase)).toEqual(['destroyed', 'idle']);
  });

  it('starts ahead for a likely call only where as much again is free or worth less', async () => {
    makePool(256);
    for (const name of ['a', 'b']) finish(await acquireBooted(name));
    values = { a: 2, b: 5, d: 4 };
    expect(pool.prewarm('d', state('d'), false)).toBe(false);
    expect(goneFor).toEqual([]);
    values = { a: 2, b: 3, d: 4 };
    expect(pool.prewarm('d', state('d'), false)).toBe(true);
    expect(goneFor).toEqual(['a']);
    await turn();
    expect(pool.usedMemoryMb).toBe(256);
  });

  it('gives up spare memory only where that helps', async () => {
    makePool(256);
    const free = vi.fn();
    finish(await acquireBooted('a'));
    pool.lendMemory({ heldMb: 64, free });
    values = { a: 2, b: 1 };
    expect(pool.prewarm('b', state('b', { memoryMb: 256 }), true)).toBe(false);
    expect(free).not.toHaveBeenCalled();
    pool.prewarm('b', state('b'), true);
    expect(free).toHaveBeenCalledExactlyOnceWith(64);
  });

  it('tells of what goes by itself that it is gone, and of nothing else', async () => {
    makePool(256);
    const [a, b] = [await acquireBooted('a'), await acquireBooted('b')];
    finish(a);
    await acquireBooted('c');
    expect(goneFor).toEqual(['a']);
    finish(b);
    clock = 2_000;
    pool.reap();
    expect(goneFor).toEqual(['a', 'b']);
    finish(await acquireBooted('d'));
    pool.retire('d', undefined);
    expect(goneFor).toEqual(['a', 'b']);
  });
});
