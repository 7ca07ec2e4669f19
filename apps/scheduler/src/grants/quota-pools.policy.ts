import {
  functionKey,
  longestRunMs,
  quotaPool,
  type ConcurrencyState,
  type FunctionState,
} from '@openscf/contracts';

/** A quota and what draws on it. */
export interface QuotaPool {
  readonly name: string;
  readonly quotaMb: number;
  /** The quota that messages name. */
  readonly totalMb: number;
  /** Parts are not made smaller than this. */
  readonly unitMb: number;
  /** How long a call on it may run, by what is deployed. */
  readonly runMs: number;
  /** Of a pool of provisioned instances: whose. Its parts are placed by number, not by demand. */
  readonly provisioned?: string;
}

/** How many instances of a version are to be provisioned now. */
export interface ProvisionedNow {
  readonly functionKey: string;
  readonly namespace: string;
  readonly functionName: string;
  readonly memoryMb: number;
  readonly runMs: number;
  readonly instances: number;
}

export interface QuotaSettings {
  /** The account's concurrency in all. */
  readonly accountMb: number;
  /** Namespaces that the operator has limited. */
  readonly namespaceMb: Readonly<Record<string, number>>;
}

export interface QuotaPoolsInput extends QuotaSettings {
  readonly concurrency: readonly Pick<ConcurrencyState, 'namespace' | 'functionName' | 'reservedMb'>[];
  readonly provisioned: readonly ProvisionedNow[];
  readonly functions: FunctionFacts;
}

/** Parts of pools that functions of all sizes share: a usual function's memory. A larger one says what it lacks. */
const SHARED_UNIT_MB = 128;

/** False for the pools that lie across the others: what is drawn there is counted in another one already. */
export function isPartOfAccount(pool: string): boolean {
  return !pool.startsWith('namespace:');
}

/**
 * The account's concurrency, divided: reservations first, provisioned instances out of the reservation of their function or
 * else out of what is unreserved, the rest is `account`. The pools that are part of the account add up to it, whatever was
 * configured: what does not fit any more gets less.
 */
export function quotaPools(input: QuotaPoolsInput): QuotaPool[] {
  const { functions, namespaceMb } = input;
  const pools: QuotaPool[] = [];
  const takenOf = new Map<string, number>();
  let leftMb = input.accountMb;
  const take = (namespace: string, mb: number): number => {
    const takenMb = Math.min(mb, leftMb);
    leftMb -= takenMb;
    takenOf.set(namespace, (takenOf.get(namespace) ?? 0) + takenMb);
    return takenMb;
  };
  const provisionedOf = Map.groupBy(input.provisioned, quotaPool.function);
  const reservations = input.concurrency
    .filter(({ reservedMb }) => reservedMb !== undefined)
    .sort((a, b) => (quotaPool.function(a) < quotaPool.function(b) ? -1 : 1));

  for (const reservation of reservations) {
    const name = quotaPool.function(reservation);
    const { reservedMb = 0, namespace } = reservation;
    let quotaMb = take(namespace, reservedMb);
    for (const version of byKey(provisionedOf.get(name) ?? [])) {
      const pool = provisionedPool(version, quotaMb, reservedMb);
      quotaMb -= pool.quotaMb;
      pools.push(pool);
    }
    provisionedOf.delete(name);
    pools.push({ name, quotaMb, totalMb: reservedMb, ...functions.of(reservation) });
  }
  for (const version of byKey([...provisionedOf.values()].flat())) {
    const pool = provisionedPool(version, leftMb, version.instances * version.memoryMb);
    take(version.namespace, pool.quotaMb);
    pools.push(pool);
  }
  const { runMs } = functions;
  for (const [namespace, limitMb] of Object.entries(namespaceMb)) {
    const quotaMb = Math.max(0, limitMb - (takenOf.get(namespace) ?? 0));
    const name = quotaPool.namespace(namespace);
    pools.push({ name, quotaMb, totalMb: limitMb, unitMb: SHARED_UNIT_MB, runMs });
  }
  pools.push({ name: quotaPool.account, quotaMb: leftMb, totalMb: leftMb, unitMb: SHARED_UNIT_MB, runMs });
  return pools;
}

function provisionedPool(version: ProvisionedNow, roomMb: number, totalMb: number): QuotaPool {
  const { memoryMb, instances, runMs } = version;
  return {
    name: quotaPool.provisioned(version.functionKey),
    quotaMb: Math.min(instances, Math.floor(roomMb / memoryMb)) * memoryMb,
    totalMb,
    unitMb: memoryMb,
    runMs,
    provisioned: version.functionKey,
  };
}

function byKey(versions: readonly ProvisionedNow[]): ProvisionedNow[] {
  return [...versions].sort((a, b) => (a.functionKey < b.functionKey ? -1 : 1));
}

interface Facts {
  unitMb: number;
  runMs: number;
}

/** What pools need to know of the functions that are deployed: the largest memory and the longest time-out of each, and of all. */
export class FunctionFacts {
  private readonly facts = new Map<string, Facts>();
  readonly runMs: number = 0;

  constructor(functions: Iterable<FunctionState>) {
    for (const state of functions) {
      const name = quotaPool.function(state);
      const known = this.facts.get(name) ?? { unitMb: 0, runMs: 0 };
      const runMs = longestRunMs(state);
      this.facts.set(name, {
        unitMb: Math.max(known.unitMb, state.memoryMb),
        runMs: Math.max(known.runMs, runMs),
      });
      this.runMs = Math.max(this.runMs, runMs);
    }
  }

  /** A function that is not deployed runs nothing. */
  of(name: { namespace: string; functionName: string }): Facts {
    return this.facts.get(quotaPool.function(name)) ?? { unitMb: SHARED_UNIT_MB, runMs: 0 };
  }
}

/** For provisioning: what a version needs. */
export function provisionedNow(state: FunctionState, instances: number): ProvisionedNow {
  const { namespace, functionName, memoryMb } = state;
  return {
    functionKey: functionKey(state),
    namespace,
    functionName,
    memoryMb,
    runMs: longestRunMs(state),
    instances,
  };
}
