import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FixedKeepAlive } from '../instance-pool/keep-alive.types.js';
import { ArrivalHistogram } from './arrival-histogram.js';
import { simulateHost, type SimulatedCall } from './host.simulation.js';
import { LearnedKeepAlive } from './learned-keep-alive.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KEEP_MS = 10 * MINUTE;

/** Numbers in [0, 1) that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('arrival histogram', () => {
  it('gives a window in which the gaps lie, whatever they were', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 * HOUR }), { minLength: 5, maxLength: 100 }),
        (gaps) => {
          const histogram = new ArrivalHistogram();
          for (const gap of gaps) histogram.record(gap);
          const window = histogram.window(0, 1);
          expect(window?.earliestMs).toBeLessThanOrEqual(Math.min(...gaps));
          expect(window?.latestMs).toBeGreaterThanOrEqual(Math.max(...gaps));
        },
      ),
    );
  });

  it('says nothing of too few gaps, or of such that are too long to be known', () => {
    const histogram = new ArrivalHistogram();
    for (let i = 0; i < 4; i++) histogram.record(MINUTE);
    expect(histogram.window()).toBeUndefined();
    for (let i = 0; i < 4; i++) histogram.record(24 * HOUR);
    expect(histogram.window()).toBeUndefined();
  });

  it('forgets what was long ago', () => {
    const histogram = new ArrivalHistogram();
    for (let i = 0; i < 100; i++) histogram.record(HOUR);
    for (let i = 0; i < 2_000; i++) histogram.record(MINUTE);
    expect(histogram.window()?.latestMs).toBeLessThan(2 * MINUTE);
  });
});

describe('learned keep-alive', () => {
  it('keeps what it knows nothing of for the configured time', () => {
    const policy = new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick: () => undefined });
    policy.called('f', 0);
    expect(policy.keepMs('f', 0)).toBe(KEEP_MS);
    expect(policy.due(HOUR)).toEqual([]);
  });

  it('lets go until a timer ticks, starts ahead of it, and keeps that until the call has come', () => {
    const policy = new LearnedKeepAlive({
      keepMs: KEEP_MS,
      nextTick: (_key, now) => (Math.floor(now / HOUR) + 1) * HOUR,
    });
    policy.called('f', 10);
    policy.idle('f', 500, 20);
    expect(policy.value('f', 128, 20)).toBe(0);
    expect(policy.keepMs('f', 20)).toBeLessThan(MINUTE);
    expect(policy.due(HOUR - MINUTE)).toEqual([]);
    expect(policy.due(HOUR - 2_500)).toEqual(['f']);
    expect(policy.value('f', 128, HOUR - 2_000)).toBeGreaterThan(0);
    expect(policy.keepMs('f', HOUR - 2_000)).toBeGreaterThan(15_000);
    policy.called('f', HOUR + 100);
    expect(policy.due(HOUR + 200)).toEqual([]);
  });

  it('gives up a start ahead whose call does not come', () => {
    const policy = new LearnedKeepAlive({
      keepMs: KEEP_MS,
      nextTick: (_key, now) => (now < HOUR ? HOUR : undefined),
    });
    policy.called('f', 0);
    policy.idle('f', 100, 0);
    expect(policy.due(HOUR)).toEqual(['f']);
    expect(policy.due(HOUR + MINUTE)).toEqual([]);
  });

  it('learns gaps: keeps over short ones, starts ahead of long ones', () => {
    const policy = new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick: () => undefined });
    for (let i = 0; i <= 10; i++) {
      policy.called('often', i * 50_000);
      policy.called('seldom', i * 20 * MINUTE);
    }
    expect(policy.keepMs('often', 500_000)).toBe(KEEP_MS);
    const last = 200 * MINUTE;
    policy.idle('seldom', 500, last);
    expect(policy.keepMs('seldom', last)).toBeLessThan(MINUTE);
    expect(policy.due(last + 10 * MINUTE)).toEqual([]);
    expect(policy.due(last + 19 * MINUTE)).toEqual(['seldom']);
  });

  /** Workload 9: 200 functions, 80 with timers of 5 to 60 minutes at full minutes, 120 called by chance with Zipf's frequencies. */
  function trace(seed: number): {
    calls: SimulatedCall[];
    timers: Map<string, { period: number; phase: number }>;
  } {
    const next = random(seed);
    const calls: SimulatedCall[] = [];
    const timers = new Map<string, { period: number; phase: number }>();
    const until = 6 * HOUR;
    for (let i = 0; i < 80; i++) {
      const [functionKey, period] = [`timer-${i}`, (5 + Math.floor(next() * 55)) * MINUTE];
      const phase = Math.floor((next() * period) / MINUTE) * MINUTE;
      timers.set(functionKey, { period, phase });
      for (let at = phase; at < until; at += period) calls.push({ at: at + next() * 50, functionKey });
    }
    for (let rank = 1; rank <= 120; rank++) {
      // The first one is called every 10 s.
      const meanMs = 10_000 * rank ** 1.5;
      for (let at = -Math.log(1 - next()) * meanMs; at < until; at -= Math.log(1 - next()) * meanMs)
        calls.push({ at, functionKey: `zipf-${rank}` });
    }
    return { calls: calls.sort((a, b) => a.at - b.at), timers };
  }

  it.each([1, 2, 3])('has about half of the cold starts of fixed 10 minutes in 1 GB (trace %i)', (seed) => {
    const { calls, timers } = trace(seed);
    const nextTick = (key: string, now: number): number | undefined => {
      const timer = timers.get(key);
      if (timer === undefined) return undefined;
      const { period, phase } = timer;
      return (Math.floor((now - phase) / period) + 1) * period + phase;
    };
    const fixed = simulateHost(calls, new FixedKeepAlive(KEEP_MS), 1_024);
    const learned = simulateHost(calls, new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick }), 1_024);
    expect(learned / fixed).toBeLessThanOrEqual(0.55);
  });
});
