import type { FunctionState, TriggerState } from '@openscf/contracts';
import { describe, expect, it, vi } from 'vitest';
import { Prewarmer } from './prewarmer.js';
import { TimerForecast } from './timer-forecast.js';

const noon = Date.UTC(2026, 10, 22, 12, 0, 0);

describe('timer forecast', () => {
  function forecast() {
    let change: (key: string, trigger: TriggerState | undefined) => void = () => undefined;
    const made = new TimerForecast({
      onChange: (listener) => {
        change = listener as typeof change;
        return () => undefined;
      },
    });
    const set = (key: string, cron: string | undefined, qualifier = '$DEFAULT', enabled = true): void =>
      change(
        key,
        cron === undefined
          ? undefined
          : ({
              type: 'timer',
              namespace: 'default',
              functionName: 'f',
              qualifier,
              enabled,
              cron,
            } as TriggerState),
      );
    return { made, set };
  }

  it('knows the nearest tick of a function, and forgets timers that are gone or off', () => {
    const { made, set } = forecast();
    set('a', '0 */10 * * * * *');
    set('b', '0 */15 * * * * *');
    const key = 'default/f/$LATEST';
    expect(made.nextTick(key, noon + 1)).toBe(noon + 600_000);
    expect(made.nextTick(key, noon + 600_000)).toBe(noon + 900_000);
    set('a', undefined);
    expect(made.nextTick(key, noon + 1)).toBe(noon + 900_000);
    set('b', '0 */15 * * * * *', '$DEFAULT', false);
    expect(made.nextTick(key, noon)).toBeUndefined();
  });

  it('tells whose ticks are near, by version', () => {
    const { made, set } = forecast();
    set('a', '0 30 12 * * * *', '3');
    expect(made.ticking(noon, 60_000)).toEqual([]);
    expect(made.ticking(noon + 29.5 * 60_000, 60_000)).toEqual(['default/f/3']);
  });
});

describe('prewarmer', () => {
  it('starts what is due, active, possible and this host’s', () => {
    const states: Record<string, FunctionState> = {
      a: { status: 'Active' } as FunctionState,
      gone: { status: 'Deleting' } as FunctionState,
      other: { status: 'Active' } as FunctionState,
      odd: { status: 'Active', runtime: 'odd' } as FunctionState,
    };
    const prewarm = vi.fn(() => true);
    new Prewarmer({
      due: () =>
        ['a', 'gone', 'other', 'odd', 'unknown'].map((functionKey) => ({ functionKey, isKnown: true })),
      find: (key) => states[key],
      missing: ({ runtime }) => (runtime === 'odd' ? 'missing' : undefined),
      isOurs: (key) => key !== 'other',
      pool: { prewarm },
    }).look();
    expect(prewarm.mock.calls).toEqual([['a', states['a'], true]]);
  });

  it('tries all known calls, and of the likely ones until several found no room', () => {
    const tried: string[] = [];
    const likely = Array.from({ length: 10 }, (_, i) => ({ functionKey: `likely-${i}`, isKnown: false }));
    const known = Array.from({ length: 10 }, (_, i) => ({ functionKey: `known-${i}`, isKnown: true }));
    new Prewarmer({
      due: () => [...known, ...likely],
      find: () => ({ status: 'Active' }) as FunctionState,
      missing: () => undefined,
      isOurs: () => true,
      pool: {
        prewarm: (functionKey) => {
          tried.push(functionKey);
          return functionKey === 'likely-1';
        },
      },
    }).look();
    expect(tried).toEqual([
      ...known.map(({ functionKey }) => functionKey),
      'likely-0',
      'likely-1',
      'likely-2',
      'likely-3',
    ]);
  });
});
