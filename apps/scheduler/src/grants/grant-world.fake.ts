import {
  GrantFence,
  GRANTER_KEY,
  INVOKER_LOST_AFTER_MS,
  quotaPool,
  type Grant,
  type Granter,
  type InvokerState,
  type QuotaUse,
} from '@openscf/contracts';
import { aFunctionState, anInvokerState } from '@openscf/testing';
import { GrantBook } from './grant.book.js';
import { planGrants } from './grant.policy.js';
import { HeartbeatSet } from './heartbeat.set.js';
import {
  FunctionFacts,
  isPartOfAccount,
  provisionedNow,
  quotaPools,
  type QuotaPool,
} from './quota-pools.policy.js';

export const ACCOUNT_MB = 2_048;
export const HOSTS = 4;
export const SCHEDULERS = 3;

/** What is deployed: three sizes, two namespaces, and time-outs of 5, 20 and 60 s. */
export const FUNCTIONS = [
  { namespace: 'a', functionName: 'small', memoryMb: 128, initTimeoutMs: 1_000, timeoutMs: 4_000 },
  { namespace: 'a', functionName: 'middle', memoryMb: 256, initTimeoutMs: 2_000, timeoutMs: 18_000 },
  { namespace: 'b', functionName: 'large', memoryMb: 512, initTimeoutMs: 10_000, timeoutMs: 50_000 },
].map((fields) => aFunctionState({ ...fields, version: '1' }));

/** What the operator and the users have configured. */
export interface Settings {
  /** By function. */
  readonly reservedMb: readonly (number | undefined)[];
  readonly provisioned: readonly number[];
  readonly namespaceMb: Readonly<Record<string, number>>;
}

/** What a model may leave out, to show that the properties notice. */
export interface Omissions {
  /** Hosts take every grant that is newer than their last. */
  readonly fence?: boolean;
  /** A grant that shrinks does not say what earlier ones allowed. */
  readonly earlier?: boolean;
  /** A grant that has expired is forgotten at once, whatever still runs. */
  readonly runsOut?: boolean;
}

interface Run {
  readonly pools: readonly string[];
  readonly memoryMb: number;
  readonly endsAt: number;
}

interface Host {
  readonly invokerId: string;
  readonly memoryMb: number;
  /** Its clock is ahead by so much. */
  readonly aheadMs: number;
  epoch: number;
  life: 'none' | 'running' | 'stopped';
  accepting: boolean;
  /** Instances outlive a killed invoker until their time is over, or the next one clears up. */
  runs: Run[];
  fence: GrantFence;
  newest: Grant | undefined;
  readTo: number;
  wanted: { pool: string; mb: number; at: number; since: number }[];
}

interface Scheduler {
  book: GrantBook;
  heartbeats: HeartbeatSet;
  settings: Settings;
  readTo: number;
  heardTo: number;
  term: Granter | undefined;
  unpublished: boolean;
}

export type Delivery = 'stored' | 'lost' | 'unknown' | 'late' | 'twice';

interface Entry {
  readonly key: string;
  readonly grant: Grant;
}

/** Hosts, schedulers and the two topics between them, step by step. Everyone has an own and late view of the topics. */
export class GrantWorld {
  now = 1_000_000;
  settings: Settings = { reservedMb: [], provisioned: [], namespaceMb: {} };
  readonly hosts: Host[] = Array.from({ length: HOSTS }, (_, index) => ({
    invokerId: `i${index}`,
    memoryMb: 512 + index * 512,
    aheadMs: (index - 1) * 1_500,
    epoch: 0,
    life: 'none',
    accepting: true,
    runs: [],
    fence: new GrantFence(),
    newest: undefined,
    readTo: 0,
    wanted: [],
  }));
  readonly schedulers: Scheduler[] = Array.from({ length: SCHEDULERS }, () => this.newScheduler());
  private readonly placements: Entry[] = [];
  private readonly invokers: { key: string; state: InvokerState | undefined }[] = [];
  /** Sent, and not stored yet. */
  private readonly late: Entry[] = [];
  private terms = 0;

  constructor(private readonly omits: Omissions = {}) {}

  // Time and settings

  wait(ms: number): void {
    this.now += ms;
    for (const host of this.hosts) {
      // The host ends what is over; one that is stopped cannot, but its instances keep their own time here.
      host.runs = host.runs.filter(({ endsAt }) => this.now < endsAt);
    }
  }

  // Hosts

  start(index: number): void {
    const host = this.host(index);
    Object.assign(host, { epoch: host.epoch + 1, life: 'running', accepting: true, runs: [], wanted: [] });
    Object.assign(host, { fence: new GrantFence(), newest: undefined, readTo: 0 });
    this.heartbeat(index);
  }

  kill(index: number): void {
    this.host(index).life = 'none';
  }

  leave(index: number): void {
    const host = this.host(index);
    if (host.life !== 'running') return;
    Object.assign(host, { life: 'none', runs: [] });
    this.invokers.push({ key: host.invokerId, state: undefined });
  }

  /** SIGSTOP and SIGCONT. */
  pause(index: number): void {
    const host = this.host(index);
    if (host.life !== 'none') host.life = host.life === 'running' ? 'stopped' : 'running';
  }

  drain(index: number): void {
    this.host(index).accepting = false;
  }

  /** The host reads some of what is new in the topic. */
  read(index: number, most = Infinity): void {
    const host = this.host(index);
    if (host.life !== 'running') return;
    const end = Math.min(this.placements.length, host.readTo + most);
    for (; host.readTo < end; host.readTo++) {
      const { key, grant } = this.placements[host.readTo] as Entry;
      const counts = host.fence.read(key, grant) === 'valid';
      if (key !== host.invokerId || grant.epoch !== String(host.epoch)) continue;
      const isNewer = grant.issuedAt > (host.newest?.issuedAt ?? -1);
      if (this.omits.fence === true ? isNewer : counts) host.newest = grant;
    }
  }

  heartbeat(index: number): void {
    const host = this.host(index);
    if (host.life !== 'running') return;
    const quotas: Record<string, QuotaUse> = {};
    const sentAt = this.now + host.aheadMs;
    host.wanted = host.wanted.filter(({ at }) => this.now - at < 4_000);
    for (const pool of new Set([
      ...host.runs.flatMap((run) => run.pools),
      ...host.wanted.map((want) => want.pool),
    ])) {
      const wants = host.wanted.filter((want) => want.pool === pool);
      const usedMb = this.usedMb(host, pool);
      const runsUntil = Math.max(
        0,
        ...host.runs.filter((run) => run.pools.includes(pool)).map((run) => run.endsAt),
      );
      quotas[pool] = {
        usedMb,
        peakMb: usedMb,
        ...(wants.length > 0 && {
          wantedMb: wants.reduce((sum, { mb }) => sum + mb, 0),
          unitMb: Math.max(...wants.map(({ mb }) => mb)),
          wantedSince: Math.min(...wants.map(({ since }) => since)) + host.aheadMs,
        }),
        ...(this.omits.runsOut !== true && { runsUntil: runsUntil + host.aheadMs }),
      };
    }
    const state = anInvokerState({
      invokerId: host.invokerId,
      epoch: String(host.epoch),
      accepting: host.accepting,
      memoryMb: host.memoryMb,
      quotas,
      sentAt,
      ...(host.newest !== undefined && { grantIssuedAt: host.newest.issuedAt }),
    });
    this.invokers.push({ key: host.invokerId, state });
  }

  /** Calls of a function at a host, each as long as its time-out allows; false when one was throttled. */
  call(index: number, functionIndex: number, count = 1): boolean {
    const host = this.host(index);
    const state = FUNCTIONS[functionIndex] as (typeof FUNCTIONS)[number];
    if (host.life !== 'running' || !host.accepting) return true;
    for (let i = 0; i < count; i++) {
      const grant = this.validGrant(host);
      if (grant === undefined) return true;
      const roomMb = (pool: string) => (grant.quotas[pool]?.mb ?? 0) - this.usedMb(host, pool);
      const own = quotaPool.function(state);
      const namespace = quotaPool.namespace(state.namespace);
      const shared = grant.quotas[namespace] === undefined ? ['account'] : ['account', namespace];
      const provisioned = quotaPool.provisioned(`${state.namespace}/${state.functionName}/1`);
      const pools =
        roomMb(provisioned) >= state.memoryMb
          ? [provisioned]
          : grant.quotas[own] === undefined
            ? shared
            : [own];
      const full = pools.filter((pool) => roomMb(pool) < state.memoryMb);
      for (const pool of full) {
        const since = Math.min(
          this.now,
          ...host.wanted.filter((want) => want.pool === pool).map((want) => want.since),
        );
        host.wanted.push({ pool, mb: state.memoryMb, at: this.now, since });
      }
      if (full.length > 0) return false;
      const endsAt = this.now + state.initTimeoutMs + state.timeoutMs;
      host.runs.push({ pools, memoryMb: state.memoryMb, endsAt });
    }
    return true;
  }

  finish(index: number): void {
    const host = this.host(index);
    if (host.life === 'running') host.runs = host.runs.slice(Math.ceil(host.runs.length / 2));
  }

  // Schedulers

  private newScheduler(): Scheduler {
    const { settings } = this;
    return {
      book: new GrantBook(),
      heartbeats: new HeartbeatSet(),
      settings,
      readTo: 0,
      heardTo: 0,
      term: undefined,
      unpublished: false,
    };
  }

  restart(index: number): void {
    this.schedulers[index] = this.newScheduler();
  }

  /** Reads some of both topics, and what is configured. */
  learn(index: number, most = Infinity): void {
    const scheduler = this.scheduler(index);
    scheduler.settings = this.settings;
    const heard = Math.min(this.invokers.length, scheduler.heardTo + most);
    for (; scheduler.heardTo < heard; scheduler.heardTo++) {
      const { key, state } = this.invokers[scheduler.heardTo] as {
        key: string;
        state: InvokerState | undefined;
      };
      scheduler.heartbeats.read(key, state);
    }
    const end = Math.min(this.placements.length, scheduler.readTo + most);
    for (; scheduler.readTo < end; scheduler.readTo++) {
      const { key, grant } = this.placements[scheduler.readTo] as Entry;
      scheduler.book.read(key, grant);
    }
  }

  takeOver(index: number): void {
    const scheduler = this.scheduler(index);
    const granter = { id: `s${index}`, term: ++this.terms };
    const grant = {
      invokerId: GRANTER_KEY,
      epoch: '',
      granter,
      quotas: {},
      provisioned: {},
      issuedAt: 0,
      expiresAt: 0,
    };
    this.placements.push({ key: GRANTER_KEY, grant });
    this.learn(index);
    scheduler.term = granter;
    scheduler.unpublished = false;
  }

  /** Plans if it believes that it grants; that belief may be out of date, as may be all that it knows. */
  plan(index: number, delivery: Delivery): void {
    const scheduler = this.scheduler(index);
    const { book, term } = scheduler;
    if (term === undefined || book.granter?.term !== term.term) return;
    const grants = planGrants({
      ...this.planInput(scheduler),
      granter: term,
      renewAll: scheduler.unpublished,
    });
    if (grants.length === 0) return;
    for (const planned of grants) {
      const { earlier, ...bare } = planned;
      const grant = this.omits.earlier === true || earlier === undefined ? bare : planned;
      book.send(grant);
      const entry = { key: grant.invokerId, grant };
      if (delivery === 'late' || delivery === 'twice') this.late.push(entry);
      if (delivery === 'stored' || delivery === 'twice' || delivery === 'unknown')
        this.placements.push(entry);
    }
    scheduler.unpublished = delivery === 'lost' || delivery === 'unknown' || delivery === 'late';
  }

  /** What was sent long ago is stored now. */
  arrive(): void {
    const entry = this.late.shift();
    if (entry !== undefined) this.placements.push(entry);
  }

  arriveAll(): void {
    this.placements.push(...this.late.splice(0));
  }

  // What must hold

  /** Of the account, in MB: what runs and what may be begun, everywhere. */
  usableMb(pool?: string): number {
    let mb = 0;
    for (const host of this.hosts) {
      const quotas = this.validGrant(host)?.quotas ?? {};
      for (const name of new Set([...Object.keys(quotas), ...host.runs.flatMap(({ pools }) => pools)])) {
        if (pool === undefined ? !isPartOfAccount(name) : name !== pool) continue;
        mb += Math.max(quotas[name]?.mb ?? 0, this.usedMb(host, name));
      }
    }
    return mb;
  }

  /** What a host may use of a pool now. */
  usableAt(index: number, pool: string): number {
    return this.validGrant(this.host(index))?.quotas[pool]?.mb ?? 0;
  }

  usedAt(index: number, pool: string): number {
    return this.usedMb(this.host(index), pool);
  }

  /** Memory that runs at a host. */
  hostUsedMb(index: number): number {
    return this.host(index).runs.reduce((sum, { memoryMb }) => sum + memoryMb, 0);
  }

  /** The quotas by what each scheduler knows, and by what is configured now. */
  quotaMb(pool: string): number {
    const known = [this.settings, ...this.schedulers.map(({ settings }) => settings)];
    return Math.max(
      ...known.map((settings) => poolsOf(settings).find(({ name }) => name === pool)?.quotaMb ?? 0),
    );
  }

  poolNames(): Set<string> {
    return new Set(
      this.hosts.flatMap((host) => [
        ...Object.keys(host.newest?.quotas ?? {}),
        ...host.runs.flatMap((run) => run.pools),
      ]),
    );
  }

  isLive(index: number): boolean {
    const { life, accepting } = this.host(index);
    return life === 'running' && accepting;
  }

  private planInput({ book, heartbeats, settings }: Scheduler) {
    const pools = poolsOf(settings).map((pool) =>
      this.omits.runsOut === true ? { ...pool, runMs: 0 } : pool,
    );
    const invokers = heartbeats.all;
    const live = [...invokers.values()].filter(({ sentAt }) => this.now - sentAt < INVOKER_LOST_AFTER_MS);
    // All provisioned instances at the first that lives.
    const [first] = live.map(({ invokerId }) => invokerId).sort();
    const counts = Object.fromEntries(
      pools.flatMap(({ provisioned, quotaMb, unitMb }) =>
        provisioned === undefined || quotaMb === 0 ? [] : [[provisioned, quotaMb / unitMb]],
      ),
    );
    const placed = new Map<string, Record<string, number>>(first === undefined ? [] : [[first, counts]]);
    return { accountMb: ACCOUNT_MB, pools, placed, now: this.now, invokers, book };
  }

  private validGrant(host: Host): Grant | undefined {
    const { newest } = host;
    return host.life !== 'none' && newest !== undefined && this.now + host.aheadMs < newest.expiresAt
      ? newest
      : undefined;
  }

  private usedMb(host: Host, pool: string): number {
    return host.runs.reduce((sum, run) => sum + (run.pools.includes(pool) ? run.memoryMb : 0), 0);
  }

  private host(index: number): Host {
    return this.hosts[index] as Host;
  }

  private scheduler(index: number): Scheduler {
    return this.schedulers[index] as Scheduler;
  }
}

const facts = new FunctionFacts(FUNCTIONS);

export function poolsOf({ reservedMb, provisioned, namespaceMb }: Settings): QuotaPool[] {
  return quotaPools({
    accountMb: ACCOUNT_MB,
    namespaceMb,
    functions: facts,
    concurrency: FUNCTIONS.map((state, index) => ({ ...state, reservedMb: reservedMb[index] })),
    provisioned: FUNCTIONS.flatMap((state, index) => {
      const instances = provisioned[index] ?? 0;
      return instances === 0 ? [] : [provisionedNow(state, instances)];
    }),
  });
}
