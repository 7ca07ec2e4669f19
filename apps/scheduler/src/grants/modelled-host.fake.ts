import {
  GrantFence,
  longestRunMs,
  quotaPool,
  type Grant,
  type InvokerState,
  type QuotaUse,
} from '@openscf/contracts';
import { anInvokerState } from '@openscf/testing';
import { FUNCTIONS, type Entry, type Omissions } from './modelled-deployment.fake.js';

interface Run {
  readonly pools: readonly string[];
  readonly memoryMb: number;
  readonly endsAt: number;
}

interface Want {
  readonly pool: string;
  readonly mb: number;
  readonly at: number;
  readonly since: number;
}

/** What an invoker remembers of calls that it refused. */
const WANTED_MS = 4_000;

/** An invoker as its contract says: it keeps to the newest grant that counts, by a clock of its own. */
export class ModelledHost {
  life: 'none' | 'running' | 'stopped' = 'none';
  accepting = true;
  /** Instances outlive a killed invoker until their time is over, or the next one clears up. */
  runs: Run[] = [];
  private epoch = 0;
  private fence = new GrantFence();
  private newest: Grant | undefined;
  private readTo = 0;
  private wanted: Want[] = [];

  constructor(
    readonly invokerId: string,
    readonly memoryMb: number,
    private readonly aheadMs: number,
    private readonly omits: Omissions,
  ) {}

  start(): void {
    this.epoch++;
    this.life = 'running';
    this.accepting = true;
    this.runs = [];
    this.wanted = [];
    this.fence = new GrantFence();
    this.newest = undefined;
    this.readTo = 0;
  }

  kill(): void {
    this.life = 'none';
  }

  /** @returns false when there is nobody to leave */
  leave(): boolean {
    if (this.life !== 'running') return false;
    this.life = 'none';
    this.runs = [];
    return true;
  }

  /** SIGSTOP and SIGCONT. */
  pause(): void {
    if (this.life !== 'none') this.life = this.life === 'running' ? 'stopped' : 'running';
  }

  read(topic: readonly Entry[], most: number): void {
    if (this.life !== 'running') return;
    for (const { key, grant } of topic.slice(this.readTo, this.readTo + most)) {
      this.readTo++;
      const counts = this.fence.read(key, grant) === 'valid';
      if (key !== this.invokerId || grant.epoch !== String(this.epoch)) continue;
      const isNewer = grant.issuedAt > (this.newest?.issuedAt ?? -1);
      if (this.omits.fence === true ? isNewer : counts) this.newest = grant;
    }
  }

  heartbeat(now: number): InvokerState | undefined {
    if (this.life !== 'running') return undefined;
    this.wanted = this.wanted.filter(({ at }) => now - at < WANTED_MS);
    const pools = [...this.runs.flatMap((run) => run.pools), ...this.wanted.map(({ pool }) => pool)];
    return anInvokerState({
      invokerId: this.invokerId,
      epoch: String(this.epoch),
      accepting: this.accepting,
      memoryMb: this.memoryMb,
      quotas: Object.fromEntries([...new Set(pools)].map((pool) => [pool, this.use(pool)])),
      sentAt: now + this.aheadMs,
      ...(this.newest !== undefined && { grantIssuedAt: this.newest.issuedAt }),
    });
  }

  /** Calls of a function, each as long as its time-out allows; false when one was throttled. */
  call(functionIndex: number, count: number, now: number): boolean {
    const state = FUNCTIONS[functionIndex] as (typeof FUNCTIONS)[number];
    for (let i = 0; i < count && this.life === 'running' && this.accepting; i++) {
      const grant = this.validGrant(now);
      if (grant === undefined) return true;
      const roomMb = (pool: string) => (grant.quotas[pool]?.mb ?? 0) - this.usedMb(pool);
      const own = quotaPool.function(state);
      const namespace = quotaPool.namespace(state.namespace);
      const provisioned = quotaPool.provisioned(`${state.namespace}/${state.functionName}/1`);
      let pools = grant.quotas[namespace] === undefined ? ['account'] : ['account', namespace];
      if (grant.quotas[own] !== undefined) pools = [own];
      if (roomMb(provisioned) >= state.memoryMb) pools = [provisioned];
      const full = pools.filter((pool) => roomMb(pool) < state.memoryMb);
      for (const pool of full) {
        const since = this.wanted.find((want) => want.pool === pool)?.since ?? now;
        this.wanted.push({ pool, mb: state.memoryMb, at: now, since });
      }
      if (full.length > 0) return false;
      this.runs.push({
        pools,
        memoryMb: state.memoryMb,
        endsAt: now + longestRunMs(state),
      });
    }
    return true;
  }

  /** Half of what runs has ended, before its time. */
  finish(): void {
    if (this.life === 'running') this.runs = this.runs.slice(Math.ceil(this.runs.length / 2));
  }

  endRuns(now: number): void {
    this.runs = this.runs.filter(({ endsAt }) => now < endsAt);
  }

  /** What it goes by now, also while it is stopped: it may wake at any moment. */
  validGrant(now: number): Grant | undefined {
    const isValid = this.life !== 'none' && now + this.aheadMs < (this.newest?.expiresAt ?? 0);
    return isValid ? this.newest : undefined;
  }

  usedMb(pool: string): number {
    return this.runs.reduce((sum, run) => sum + (run.pools.includes(pool) ? run.memoryMb : 0), 0);
  }

  private use(pool: string): QuotaUse {
    const wants = this.wanted.filter((want) => want.pool === pool);
    const ends = this.runs.filter((run) => run.pools.includes(pool)).map(({ endsAt }) => endsAt);
    const usedMb = this.usedMb(pool);
    return {
      usedMb,
      peakMb: usedMb,
      ...(wants.length > 0 && {
        wantedMb: wants.reduce((sum, { mb }) => sum + mb, 0),
        unitMb: Math.max(...wants.map(({ mb }) => mb)),
        wantedSince: Math.min(...wants.map(({ since }) => since)) + this.aheadMs,
      }),
      ...(this.omits.runsOut !== true && ends.length > 0 && { runsUntil: Math.max(...ends) + this.aheadMs }),
    };
  }
}
