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
  const usual = 1 / HOUR;

  it('says what its function usually does as long as it knows nothing', () => {
    expect(new ArrivalHistogram().callsPerMs(MINUTE, MINUTE, usual)).toBeCloseTo(usual, 12);
  });

  it('expects no fewer than none, and no more than there were, whatever the gaps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 12 * HOUR }), { maxLength: 300 }),
        fc.integer({ min: 0, max: 12 * HOUR }),
        fc.integer({ min: 1, max: HOUR }),
        (gaps, ageMs, withinMs) => {
          const histogram = new ArrivalHistogram();
          for (const gap of gaps) histogram.record(gap);
          const perMs = histogram.callsPerMs(ageMs, withinMs, usual);
          expect(perMs).toBeGreaterThan(0);
          expect(Number.isFinite(perMs)).toBe(true);
        },
      ),
    );
  });

  it('expects a call when the gaps end, and none before', () => {
    const histogram = new ArrivalHistogram();
    for (let i = 0; i < 50; i++) histogram.record(20 * MINUTE);
    const [before, near] = [5 * MINUTE, 19 * MINUTE].map((age) =>
      histogram.callsPerMs(age, 3 * MINUTE, usual),
    );
    expect(before).toBeLessThan(0.7 * usual);
    expect(near).toBeGreaterThan(10 * usual);
  });

  it('expects calls in a burst, and none when it is over', () => {
    const histogram = new ArrivalHistogram();
    for (let i = 0; i < 100; i++) histogram.record(i % 10 === 0 ? 3 * HOUR : 10_000);
    expect(histogram.callsPerMs(5_000, MINUTE, usual)).toBeGreaterThan(20 * usual);
    expect(histogram.callsPerMs(5 * MINUTE, MINUTE, usual)).toBeLessThan(usual);
  });

  it('forgets what was long ago', () => {
    const histogram = new ArrivalHistogram();
    for (let i = 0; i < 100; i++) histogram.record(HOUR);
    for (let i = 0; i < 2_000; i++) histogram.record(MINUTE);
    expect(histogram.callsPerMs(30_000, MINUTE, usual)).toBeGreaterThan(30 * usual);
  });
});

describe('learned keep-alive', () => {
  /** Called at these times, with an idle instance after each. */
  function called(policy: LearnedKeepAlive, functionKey: string, times: readonly number[]): void {
    for (const at of times) {
      policy.called(functionKey, at);
      policy.idle(functionKey, 300, at);
    }
  }

  function every(gapMs: number, from: number, until: number): number[] {
    return Array.from({ length: Math.floor((until - from) / gapMs) + 1 }, (_, i) => from + i * gapMs);
  }

  const untimed = (): LearnedKeepAlive =>
    new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick: () => undefined });

  it('keeps what it knows nothing of for the configured time, and starts nothing', () => {
    const policy = untimed();
    called(policy, 'f', [0]);
    expect(policy.keepMs('f', 0)).toBe(KEEP_MS);
    policy.gone('f');
    expect(policy.due(HOUR)).toEqual([]);
    expect(policy.keepMs('unknown', 0)).toBe(KEEP_MS);
    expect(policy.value('unknown', 128, 0)).toBe(0);
  });

  it('lets go until a timer ticks, starts ahead of it, and keeps that until the call has come', () => {
    const policy = new LearnedKeepAlive({
      keepMs: KEEP_MS,
      nextTick: (_key, now) => (Math.floor(now / HOUR) + 1) * HOUR,
    });
    called(policy, 'f', [10, HOUR + 10, 2 * HOUR + 10, 3 * HOUR + 10]);
    const last = 3 * HOUR + 10;
    expect(policy.keepMs('f', last)).toBeLessThan(MINUTE);
    policy.gone('f');
    expect(policy.due(4 * HOUR - MINUTE)).toEqual([]);
    expect(policy.due(4 * HOUR - 2_500)).toEqual([{ functionKey: 'f', isKnown: true }]);
    policy.idle('f', 500, 4 * HOUR - 2_000);
    const far = policy.value('f', 128, last);
    expect(policy.value('f', 128, 4 * HOUR - 2_000)).toBeGreaterThan(100 * far);
    // It has not come yet.
    expect(policy.value('f', 128, 4 * HOUR + 1_000)).toBeGreaterThan(100 * far);
    expect(policy.keepMs('f', 4 * HOUR - 2_000)).toBeGreaterThanOrEqual(KEEP_MS);
    policy.called('f', 4 * HOUR + 1_500);
    expect(policy.value('f', 128, 4 * HOUR + 2_000)).toBeLessThan(2 * far);
  });

  it('does not let go a function of a timer that others call, too', () => {
    const policy = new LearnedKeepAlive({
      keepMs: KEEP_MS,
      nextTick: (_key, now) => (Math.floor(now / HOUR) + 1) * HOUR,
    });
    called(policy, 'f', every(7 * MINUTE, MINUTE, 2.5 * HOUR));
    expect(policy.keepMs('f', 2.5 * HOUR)).toBeGreaterThanOrEqual(KEEP_MS);
  });

  it('gives up a start ahead whose call does not come', () => {
    const policy = new LearnedKeepAlive({
      keepMs: KEEP_MS,
      nextTick: (_key, now) => (now < HOUR ? HOUR : undefined),
    });
    called(policy, 'f', [0]);
    policy.gone('f');
    expect(policy.due(HOUR)).toHaveLength(1);
    expect(policy.due(HOUR + MINUTE)).toEqual([]);
  });

  it('brings back what had to go while a call is likely, what is worth most first, and nothing else', () => {
    const policy = untimed();
    called(policy, 'often', every(MINUTE, 0, HOUR));
    called(policy, 'less', every(4 * MINUTE, 0, HOUR));
    called(policy, 'seldom', [0, HOUR]);
    for (const functionKey of ['seldom', 'less', 'often']) policy.gone(functionKey);
    const due = policy.due(HOUR + 1_000);
    expect(due).toEqual([
      { functionKey: 'often', isKnown: false },
      { functionKey: 'less', isKnown: false },
    ]);
    policy.idle('often', 300, HOUR + 2_000);
    expect(policy.due(HOUR + 2_000).map(({ functionKey }) => functionKey)).toEqual(['less']);
    expect(policy.due(HOUR + 10 * HOUR)).toEqual([]);
  });

  it('values a function by how often it is called, what its start takes and its memory', () => {
    const policy = untimed();
    called(policy, 'often', every(MINUTE, 0, HOUR));
    called(policy, 'seldom', every(15 * MINUTE, 0, HOUR));
    const value = policy.value('often', 128, HOUR);
    expect(value).toBeGreaterThan(2 * policy.value('seldom', 128, HOUR));
    expect(policy.value('often', 256, HOUR)).toBeCloseTo(value / 2, 9);
    policy.idle('often', 600, HOUR);
    expect(policy.value('often', 128, HOUR)).toBeCloseTo(2 * value, 9);
  });

  it('stays for longer where the gaps are a little longer, and starts ahead of long ones that are regular', () => {
    const policy = untimed();
    called(policy, 'longer', every(14 * MINUTE, 0, 14 * HOUR));
    const last = 14 * HOUR;
    expect(policy.keepMs('longer', last)).toBeGreaterThan(KEEP_MS);
    called(policy, 'long', every(HOUR, 0, 20 * HOUR));
    policy.gone('long');
    expect(policy.due(20 * HOUR + 30 * MINUTE)).toEqual([]);
    expect(policy.due(20 * HOUR + 58 * MINUTE)).toHaveLength(1);
  });

  /** Workload 9: 200 functions, 80 with timers of 5 to 60 minutes at full minutes, 120 called by chance with Zipf's frequencies. */
  function trace(seed: number): {
    calls: SimulatedCall[];
    timers: Map<string, { period: number; phase: number }>;
  } {
    const next = random(seed);
    const calls: SimulatedCall[] = [];
    const timers = new Map<string, { period: number; phase: number }>();
    const until = 3 * HOUR;
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

  it('has less than half of the cold starts of fixed 10 minutes in 1 GB, and starts little more in all', () => {
    const { calls, timers } = trace(1);
    const nextTick = (key: string, now: number): number | undefined => {
      const timer = timers.get(key);
      if (timer === undefined) return undefined;
      const { period, phase } = timer;
      return (Math.floor((now - phase) / period) + 1) * period + phase;
    };
    const host = { memoryMb: 1_024 };
    const fixed = simulateHost(calls, new FixedKeepAlive(KEEP_MS), host);
    const learned = simulateHost(calls, new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick }), host);
    expect(learned.cold / fixed.cold).toBeLessThanOrEqual(0.45);
    expect((learned.cold + learned.ahead) / fixed.cold).toBeLessThanOrEqual(1.3);
    expect(learned.meanMb).toBeLessThanOrEqual(fixed.meanMb);
  }, 30_000);
});
