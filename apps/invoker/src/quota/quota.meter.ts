import { functionKey, longestRunMs, quotaPool, type Grant, type QuotaUse } from '@openscf/contracts';
import type { QuotaFunction, QuotaTaken } from './quota.types.js';
import { PoolUse } from './pool-use.policy.js';

export interface QuotaMeterOptions {
  /** The newest grant of this invoker that counts, whatever its epoch. */
  readonly grant: () => Grant | undefined;
  readonly epoch: string;
  /**
   * The scheduler is to know soon: something is refused that was not before, or of what is in use beyond the grant some has been
   * given back, for which others wait.
   */
  readonly onNews?: () => void;
  readonly now?: () => number;
}

/**
 * Counts the concurrency in use, as SCF does: MB of function memory of busy instances, against the grant, by pool.
 *
 * 1. `take` never lets the use of a pool go over the unexpired grant of this process; no call begins without `take` or
 *    `prolong`, so none begins after the grant has expired.
 * 2. Which pools a function draws on is what the grant says, and nothing else: its provisioned ones first, then its
 *    reservation if it has one, else `account` and its namespace's together.
 * 3. A lease is given back to the pools that it was taken of, once.
 */
export class QuotaMeter {
  private readonly uses = new Map<string, PoolUse>();
  private readonly now: () => number;

  constructor(private readonly options: QuotaMeterOptions) {
    this.now = options.now ?? Date.now;
  }

  /** Takes the function's memory: for one instance that becomes busy, or that boots for a call. */
  take(state: QuotaFunction): QuotaTaken {
    const now = this.now();
    const grant = this.valid(now);
    if (grant === undefined) return { kind: 'no-grant' };
    const provisioned = quotaPool.provisioned(functionKey(state));
    if (this.roomMb(provisioned, grant) >= state.memoryMb) return this.lease([provisioned], state, now);
    const pools = poolsOf(state, grant);
    const full = pools.filter((pool) => this.roomMb(pool, grant) < state.memoryMb);
    const [first] = full;
    if (first === undefined) return this.lease(pools, state, now);
    // Every one is told of in the next heartbeat; what is new, at once.
    const news = full.filter((pool) => this.use(pool).refuse(state.memoryMb, now));
    if (news.length > 0) this.options.onNews?.();
    return { kind: 'over', message: overMessage(state, first, grant) };
  }

  /** True while there is a grant to go by. */
  get hasGrant(): boolean {
    return this.valid(this.now()) !== undefined;
  }

  /** Instances to keep started ahead, by `functionKey`. They stay while no scheduler is there to say otherwise. */
  get provisioned(): Readonly<Record<string, number>> {
    const grant = this.options.grant();
    return grant?.epoch === this.options.epoch ? grant.provisioned : {};
  }

  /** In use now of one pool. */
  usedMb(pool: string): number {
    return this.uses.get(pool)?.usedMb ?? 0;
  }

  /** For the heartbeat: the grant that it goes by and, as of the same moment, the use of each pool. */
  report(): { grantIssuedAt?: number; quotas: Record<string, QuotaUse> } {
    const now = this.now();
    const quotas: Record<string, QuotaUse> = {};
    for (const [pool, use] of this.uses) {
      const told = use.report(now);
      if (told === undefined) this.uses.delete(pool);
      else quotas[pool] = told;
    }
    const grant = this.options.grant();
    return { ...(grant?.epoch === this.options.epoch && { grantIssuedAt: grant.issuedAt }), quotas };
  }

  private lease(pools: readonly string[], state: QuotaFunction, now: number): QuotaTaken {
    const holding = { memoryMb: state.memoryMb, endsAt: now + longestRunMs(state) };
    const uses = pools.map((pool) => this.use(pool));
    for (const use of uses) use.hold(holding, now);
    const prolong = (): boolean => {
      const at = this.now();
      const grant = this.valid(at);
      if (grant === undefined || pools.some((pool) => this.roomMb(pool, grant) < 0)) return false;
      holding.endsAt = at + longestRunMs(state);
      return true;
    };
    const give = (): void => {
      const at = this.now();
      const isOver = pools.filter((pool) => this.isOver(pool));
      for (const use of uses) use.give(holding, at);
      if (isOver.length > 0) this.options.onNews?.();
    };
    return { kind: 'taken', lease: { pools, prolong, give } };
  }

  private isOver(pool: string): boolean {
    const grant = this.options.grant();
    return grant?.epoch === this.options.epoch && this.roomMb(pool, grant) < 0;
  }

  private roomMb(pool: string, grant: Grant): number {
    return (grant.quotas[pool]?.mb ?? 0) - this.usedMb(pool);
  }

  private use(pool: string): PoolUse {
    let use = this.uses.get(pool);
    if (use === undefined) this.uses.set(pool, (use = new PoolUse()));
    return use;
  }

  private valid(now: number): Grant | undefined {
    const grant = this.options.grant();
    return grant !== undefined && grant.epoch === this.options.epoch && now < grant.expiresAt
      ? grant
      : undefined;
  }
}

/** The pools that a call without a free provisioned instance needs, all of them. */
function poolsOf(state: QuotaFunction, grant: Grant): string[] {
  const own = quotaPool.function(state);
  if (grant.quotas[own] !== undefined) return [own];
  const namespace = quotaPool.namespace(state.namespace);
  return grant.quotas[namespace] === undefined ? [quotaPool.account] : [quotaPool.account, namespace];
}

/** scf-api section 5, status 432. */
function overMessage(state: QuotaFunction, pool: string, grant: Grant): string {
  const quota = `quota ${grant.quotas[pool]?.totalMb ?? 0} MB`;
  const start = `Function [ ${state.functionName} ] concurrency exceeded`;
  if (pool === quotaPool.function(state)) return `${start} reserved ${quota}`;
  if (pool === quotaPool.account) return `${start} region unreserved ${quota}`;
  return `${start} namespace [ ${state.namespace} ] ${quota}`;
}
