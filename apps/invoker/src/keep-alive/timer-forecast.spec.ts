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
    const prewarm = vi.fn();
    new Prewarmer({
      due: () => ['a', 'gone', 'other', 'odd', 'unknown'],
      find: (key) => states[key],
      missing: ({ runtime }) => (runtime === 'odd' ? 'missing' : undefined),
      isOurs: (key) => key !== 'other',
      pool: { prewarm },
    }).look();
    expect(prewarm.mock.calls.map(([key]) => key as string)).toEqual(['a']);
  });
});
