/**
 * Workload 9: 200 functions on 1 GB for six hours of simulated time: cold starts under the invoker's policy against a fixed ten minutes
 * with the least recently used going first, at equal memory.
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
  value(functionKey: string, memoryMb: number, now: number): number;
  keepMs(functionKey: string, idleSince: number): number;
  due(now: number): string[];
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
  simulateHost: (calls: Call[], policy: KeepAlive, hostMb: number) => number;
}>('keep-alive/host.simulation.js');

const options = benchOptions({ rounds: 5 });
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FUNCTIONS = 200;
const HOST_MB = 1_024;
const KEEP_MS = 10 * MINUTE;
const MUST = 0.5;

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
    value: (functionKey, _memoryMb, now) => 1 / (next(functionKey, now) - now),
    keepMs: () => Infinity,
    due: () => [],
  };
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
  const fixed = simulateHost(calls, new FixedKeepAlive(KEEP_MS), HOST_MB);
  const learned = simulateHost(calls, new LearnedKeepAlive({ keepMs: KEEP_MS, nextTick }), HOST_MB);
  const known = simulateHost(calls, clairvoyant(calls), HOST_MB);
  return { calls: calls.length, fixed, learned, known };
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
    `${ratioText(of(({ learned, fixed }) => learned / fixed))} (must: ${MUST})`,
    ratioText(of(({ known, fixed }) => known / fixed)),
    `${whole(of(({ learned }) => learned).median)}, ${whole(of(({ fixed }) => fixed).median)}`,
    whole(of(({ calls }) => calls).median),
  ]);
}
const columns = [
  'mix',
  'cold starts, × fixed',
  'the same, knowing all calls',
  'cold starts: ours, fixed',
  'calls',
];
report({ workload: 'keep-alive', columns, rows, data }, options.write);
