/**
 * Workload 9: 200 functions on 1 GB for six hours of simulated time: cold starts under the invoker's policy against a fixed ten minutes
 * with the least recently used going first, at equal memory. Beside them the fewest that keeping alone can reach with all calls known,
 * and the fewest that anyone can reach who knows all rates and timers but not when chance calls.
 * Usage: node test/bench/src/workloads/keep-alive.ts [--rounds 5] [--write]
 *
 * The policy is the invoker's own, as built; only time and calls are made up. Several mixes, because one can be flattered by one trace.
 */
import { join } from 'node:path';
import { benchOptions } from '../measuring/options.ts';
import { report } from '../measuring/report.ts';
import { ratioText, spread } from '../measuring/spread.ts';

/** What the invoker decides by, as it was built. */
interface KeepAlive {
  called(functionKey: string, now: number): void;
  idle(functionKey: string, coldMs: number, now: number): void;
  gone(functionKey: string): void;
  value(functionKey: string, memoryMb: number, now: number): number;
  keepMs(functionKey: string, idleSince: number): number;
  due(now: number): { functionKey: string; isKnown: boolean }[];
}

async function built<T>(file: string): Promise<T> {
  return (await import(join(import.meta.dirname, '../../../../apps/invoker/dist', file))) as T;
}
const { FixedKeepAlive } = await built<{ FixedKeepAlive: new (keepMs: number) => KeepAlive }>(
  'instance-pool/keep-alive.types.js',
);
const { LearnedKeepAlive } = await built<{
  LearnedKeepAlive: new (options: {
    keepMs: number;
    nextTick: (functionKey: string, now: number) => number | undefined;
  }) => KeepAlive;
}>('keep-alive/learned-keep-alive.js');
const { simulateHost } = await built<{
  simulateHost: (calls: Call[], policy: KeepAlive, host: { memoryMb: number }) => Starts;
}>('keep-alive/host.simulation.js');

const options = benchOptions({ rounds: 5 });
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FUNCTIONS = 200;
const HOST = { memoryMb: 1_024 };
/** All functions have 128 MB. */
const PLACES = 8;
const KEEP_MS = 10 * MINUTE;
const MUST = 0.5;

/** Calls that found no instance, starts for no call, and memory held in the mean. */
interface Starts {
  cold: number;
  ahead: number;
  meanMb: number;
}

interface Call {
  at: number;
  functionKey: string;
}

interface Mix {
  /** How many of the functions have timers, of 5 to 60 minutes at full minutes; the others are called by chance. */
  timers: number;
  /** Zipf's exponent of those, and how often the first one is called. */
  exponent: number;
  firstEveryMs: number;
}

const MIXES: Record<string, Mix> = {
  'timers 40 %, Zipf 1.5': { timers: 80, exponent: 1.5, firstEveryMs: 10_000 },
  'timers 40 %, Zipf 1.0': { timers: 80, exponent: 1, firstEveryMs: 10_000 },
  'timers 20 %, Zipf 1.5': { timers: 40, exponent: 1.5, firstEveryMs: 10_000 },
  'timers 60 %, Zipf 1.5': { timers: 120, exponent: 1.5, firstEveryMs: 10_000 },
};

/** Numbers in [0, 1) that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Knows all calls, and starts nothing ahead: the fewest cold starts that keeping alone can reach (Belady). */
function clairvoyant(calls: Call[]): KeepAlive {
  const times = new Map<string, number[]>();
  for (const { at, functionKey } of calls.toReversed()) {
    const own = times.get(functionKey) ?? [];
    own.push(at);
    times.set(functionKey, own);
  }
  const next = (functionKey: string, now: number): number => {
    const own = times.get(functionKey) ?? [];
    while ((own.at(-1) ?? Infinity) <= now) own.pop();
    return own.at(-1) ?? Infinity;
  };
  return {
    called: () => undefined,
    idle: () => undefined,
    gone: () => undefined,
    value: (functionKey, _memoryMb, now) => 1 / (next(functionKey, now) - now),
    keepMs: () => Infinity,
    due: () => [],
  };
}

/**
 * What is cold at least, in the mean of all traces: chance calls functions independently of what was before, so that no choice of eight
 * has more warm calls than the eight called most often; and of timers that tick at once no more than eight are served.
 */
function fewestUnknowing(calls: Call[]): number {
  const most = new Set(Array.from({ length: PLACES }, (_, index) => `zipf-${index + 1}`));
  const ticks = new Map<number, number>();
  let cold = 0;
  for (const { at, functionKey } of calls) {
    if (functionKey.startsWith('zipf-')) {
      if (!most.has(functionKey)) cold++;
      continue;
    }
    const minute = Math.floor(at / MINUTE);
    const nth = (ticks.get(minute) ?? 0) + 1;
    ticks.set(minute, nth);
    if (nth > PLACES) cold++;
  }
  return cold;
}

function ratioOf({ timers, exponent, firstEveryMs }: Mix, seed: number) {
  const next = random(seed);
  const calls: Call[] = [];
  const ticks = new Map<string, { period: number; phase: number }>();
  for (let index = 0; index < timers; index += 1) {
    const functionKey = `timer-${index}`;
    const period = (5 + Math.floor(next() * 55)) * MINUTE;
    const phase = Math.floor((next() * period) / MINUTE) * MINUTE;
    ticks.set(functionKey, { period, phase });
    for (let at = phase; at < 6 * HOUR; at += period) calls.push({ at: at + next() * 50, functionKey });
  }
  const gap = (meanMs: number) => -Math.log(1 - next()) * meanMs;
  for (let rank = 1; rank <= FUNCTIONS - timers; rank += 1) {
    const meanMs = firstEveryMs * rank ** exponent;
    for (let at = gap(meanMs); at < 6 * HOUR; at += gap(meanMs))
      calls.push({ at, functionKey: `zipf-${rank}` });
  }
  calls.sort((a, b) => a.at - b.at);
  const nextTick = (functionKey: string, now: number) => {
    const timer = ticks.get(functionKey);
    return timer && (Math.floor((now - timer.phase) / timer.period) + 1) * timer.period + timer.phase;
  };
  const fixed = simulateHost(calls, new FixedKeepAlive(KEEP_MS), HOST);
  const learned = simulateHost(calls, new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick }), HOST);
  const known = simulateHost(calls, clairvoyant(calls), HOST);
  return { calls: calls.length, fixed, learned, known: known.cold, fewest: fewestUnknowing(calls) };
}

const rows = [];
const data: Record<string, object[]> = {};
for (const [name, mix] of Object.entries(MIXES)) {
  const rounds = Array.from({ length: options.rounds }, (_, seed) => ratioOf(mix, seed + 1));
  data[name] = rounds;
  const of = (pick: (round: (typeof rounds)[number]) => number) => spread(rounds.map(pick));
  const whole = (value: number) => Math.round(value);
  rows.push([
    name,
    `${ratioText(of(({ learned, fixed }) => learned.cold / fixed.cold))} (must: ${MUST})`,
    ratioText(of(({ fewest, fixed }) => fewest / fixed.cold)),
    ratioText(of(({ known, fixed }) => known / fixed.cold)),
    ratioText(of(({ learned, fixed }) => (learned.cold + learned.ahead) / fixed.cold)),
    ratioText(of(({ learned, fixed }) => learned.meanMb / fixed.meanMb)),
    `${whole(of(({ learned }) => learned.cold).median)}, ${whole(of(({ fixed }) => fixed.cold).median)}`,
    whole(of(({ calls }) => calls).median),
  ]);
}
const columns = [
  'mix',
  'cold starts, × fixed',
  'least, not knowing when chance calls',
  'knowing all calls, nothing started ahead',
  'all starts, × fixed',
  'memory held, × fixed',
  'cold starts: ours, fixed',
  'calls',
];
report({ workload: 'keep-alive', columns, rows, data }, options.write);
