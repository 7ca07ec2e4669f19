import type { InvokerState } from '@openscf/contracts';

/** One version and how many instances of it are to be started ahead. */
export interface ToPlace {
  readonly functionKey: string;
  readonly runtime: string;
  readonly memoryMb: number;
  readonly instances: number;
}

/** Instances by `functionKey`, for each invoker. */
export type Placed = Map<string, Record<string, number>>;

export interface PlacementInput {
  readonly versions: readonly ToPlace[];
  /** Those that live. */
  readonly invokers: readonly InvokerState[];
  /** What they were told to keep. */
  readonly current: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** How many may be started now that are not kept already. */
  readonly startsAllowed: number;
}

/**
 * Which invoker keeps how many. What is there stays, as far as it is wanted and fits; what is too much goes where most are; what is
 * missing goes, one by one, to the invoker with the most memory left that has the runtime.
 */
export function place({ versions, invokers, current, startsAllowed }: PlacementInput): {
  placed: Placed;
  started: number;
} {
  const hosts = invokers
    .filter(({ accepting }) => accepting)
    .sort((a, b) => (a.invokerId < b.invokerId ? -1 : 1))
    .map((invoker) => ({ invoker, freeMb: invoker.memoryMb, kept: {} as Record<string, number> }));
  const able = ({ runtime }: ToPlace) => hosts.filter(({ invoker }) => invoker.runtimes.includes(runtime));

  for (const version of versions) {
    const { functionKey, memoryMb, instances } = version;
    const holders = able(version);
    let keptInAll = 0;
    for (const host of holders) {
      const there = current.get(host.invoker.invokerId)?.[functionKey] ?? 0;
      const kept = Math.min(there, Math.floor(host.freeMb / memoryMb));
      host.kept[functionKey] = kept;
      host.freeMb -= kept * memoryMb;
      keptInAll += kept;
    }
    for (; keptInAll > instances; keptInAll--) {
      const fullest = holders.reduce((a, b) => (countOf(b, functionKey) > countOf(a, functionKey) ? b : a));
      fullest.kept[functionKey] = countOf(fullest, functionKey) - 1;
      fullest.freeMb += memoryMb;
    }
  }
  let started = 0;
  for (const version of versions) {
    const { functionKey, memoryMb, instances } = version;
    const holders = able(version);
    let keptInAll = holders.reduce((sum, host) => sum + countOf(host, functionKey), 0);
    for (; keptInAll < instances && started < startsAllowed; keptInAll++, started++) {
      const roomy = holders.reduce<(typeof hosts)[number] | undefined>(
        (best, host) => (best === undefined || host.freeMb > best.freeMb ? host : best),
        undefined,
      );
      if (roomy === undefined || roomy.freeMb < memoryMb) break;
      roomy.kept[functionKey] = countOf(roomy, functionKey) + 1;
      roomy.freeMb -= memoryMb;
    }
  }
  return {
    placed: new Map(hosts.map(({ invoker, kept }) => [invoker.invokerId, withoutZeros(kept)])),
    started,
  };
}

function countOf(host: { kept: Record<string, number> }, functionKey: string): number {
  return host.kept[functionKey] ?? 0;
}

function withoutZeros(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
