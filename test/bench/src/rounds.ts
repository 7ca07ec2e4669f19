import type { LoadResult } from './load.ts';

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
  const median = sorted.length % 2 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

export interface Side {
  run(): Promise<LoadResult>;
  /** CPU seconds used so far by this side's processes. */
  cpuSeconds(): number;
}

export interface Comparison {
  rounds: number;
  /** Ours through the floor's, round by round. */
  throughputRatio: Spread;
  p50Ratio: Spread;
  ours: { requestsPerSecond: number; p50Ms: number; p99Ms: number; cpuSecondsPer1000: number };
  floor: { requestsPerSecond: number; p50Ms: number; p99Ms: number; cpuSecondsPer1000: number };
  failures: number;
}

/** Floor and ours in turn, so that a machine that becomes slower becomes slower for both. */
export async function compare(rounds: number, ours: Side, floor: Side): Promise<Comparison> {
  const pairs: { ours: Measured; floor: Measured }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({ floor: await measured(floor), ours: await measured(ours) });
  }
  const summary = (pick: (pair: { ours: Measured; floor: Measured }) => Measured) => ({
    requestsPerSecond: spread(pairs.map((pair) => pick(pair).requestsPerSecond)).median,
    p50Ms: spread(pairs.map((pair) => pick(pair).p50Ms)).median,
    p99Ms: spread(pairs.map((pair) => pick(pair).p99Ms)).median,
    cpuSecondsPer1000: spread(pairs.map((pair) => pick(pair).cpuSecondsPer1000)).median,
  });
  return {
    rounds,
    throughputRatio: spread(pairs.map((pair) => pair.ours.requestsPerSecond / pair.floor.requestsPerSecond)),
    p50Ratio: spread(pairs.map((pair) => pair.ours.p50Ms / pair.floor.p50Ms)),
    ours: summary((pair) => pair.ours),
    floor: summary((pair) => pair.floor),
    failures: pairs.reduce((sum, pair) => sum + pair.ours.failures + pair.floor.failures, 0),
  };
}

type Measured = LoadResult & { cpuSecondsPer1000: number };

async function measured(side: Side): Promise<Measured> {
  const before = side.cpuSeconds();
  const result = await side.run();
  const used = side.cpuSeconds() - before;
  return { ...result, cpuSecondsPer1000: (used / result.requests) * 1000 };
}
