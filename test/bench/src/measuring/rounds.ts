import type { LoadResult } from './load.ts';
import { spread, type Spread } from './spread.ts';

/** What is put under load: ours, the floor, or a peer. */
export interface Side {
  readonly name: string;
  run(): Promise<LoadResult>;
  /** CPU seconds used so far by this side's processes. */
  cpuSeconds(): number;
}

export interface Measured {
  name: string;
  /** Through the floor's, round by round. */
  throughputRatio: Spread;
  p50Ratio: Spread;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuSecondsPer1000: number;
  failures: number;
}

type Round = LoadResult & { cpuSecondsPer1000: number };

/** All sides in turn in every round, so that a machine that becomes slower becomes slower for all. The first is the floor. */
export async function compare(rounds: number, sides: readonly [Side, ...Side[]]): Promise<Measured[]> {
  const results = sides.map((): Round[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, side] of sides.entries()) results[index]?.push(await measured(side));
  }
  const [floor = []] = results;
  return sides.map((side, index) => {
    const own = results[index] ?? [];
    const median = (pick: (round: Round) => number) => spread(own.map(pick)).median;
    const ratio = (pick: (round: Round) => number) =>
      spread(own.map((round, at) => pick(round) / pick(floor[at] ?? round)));
    return {
      name: side.name,
      throughputRatio: ratio((round) => round.requestsPerSecond),
      p50Ratio: ratio((round) => round.p50Ms),
      requestsPerSecond: median((round) => round.requestsPerSecond),
      p50Ms: median((round) => round.p50Ms),
      p99Ms: median((round) => round.p99Ms),
      cpuSecondsPer1000: median((round) => round.cpuSecondsPer1000),
      failures: own.reduce((sum, { failures }) => sum + failures, 0),
    };
  });
}

async function measured(side: Side): Promise<Round> {
  const before = side.cpuSeconds();
  const result = await side.run();
  const used = side.cpuSeconds() - before;
  return { ...result, cpuSecondsPer1000: (used / result.requests) * 1000 };
}
