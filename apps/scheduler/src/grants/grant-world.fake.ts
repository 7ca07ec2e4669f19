import { GRANTER_KEY, INVOKER_LOST_AFTER_MS, type Granter, type InvokerState } from '@openscf/contracts';
import { GrantBook } from './grant.book.js';
import { planGrants } from './grant.policy.js';
import { HeartbeatSet } from './heartbeat.set.js';
import {
  ACCOUNT_MB,
  poolsOf,
  type Entry,
  type Omissions,
  type Settings,
} from './modelled-deployment.fake.js';
import { ModelledHost } from './modelled-host.fake.js';
import { isPartOfAccount } from './quota-pools.policy.js';

export const HOSTS = 4;
export const SCHEDULERS = 3;

/** What becomes of a record: `unknown`: stored, but the sender is told that it is not. `late`: stored when it arrives. */
export type Delivery = 'stored' | 'lost' | 'unknown' | 'late' | 'twice';

interface Scheduler {
  readonly book: GrantBook;
  readonly heartbeats: HeartbeatSet;
  settings: Settings;
  readTo: number;
  heardTo: number;
  term: Granter | undefined;
  unpublished: boolean;
}

/** Hosts, schedulers and the two topics between them, step by step. Everyone has an own and late view of the topics. */
export class GrantWorld {
  now = 1_000_000;
  settings: Settings = { reservedMb: [], provisioned: [], namespaceMb: {} };
  readonly hosts: readonly ModelledHost[];
  private readonly schedulers: Scheduler[];
  private readonly placements: Entry[] = [];
  private readonly heartbeats: { key: string; state: InvokerState | undefined }[] = [];
  /** Sent, and not stored yet. */
  private readonly late: Entry[] = [];
  private terms = 0;

  constructor(private readonly omits: Omissions = {}) {
    this.hosts = Array.from(
      { length: HOSTS },
      (_, index) => new ModelledHost(`i${index}`, 512 + index * 512, (index - 1) * 1_500, omits),
    );
    this.schedulers = Array.from({ length: SCHEDULERS }, () => this.newScheduler());
  }

  wait(ms: number): void {
    this.now += ms;
    for (const host of this.hosts) host.endRuns(this.now);
  }

  start(index: number): void {
    this.host(index).start();
    this.heartbeat(index);
  }

  leave(index: number): void {
    const host = this.host(index);
    if (host.leave()) this.heartbeats.push({ key: host.invokerId, state: undefined });
  }

  /** The host reads some of what is new in the topic. */
  read(index: number, most = Infinity): void {
    this.host(index).read(this.placements, most);
  }

  heartbeat(index: number): void {
    const state = this.host(index).heartbeat(this.now);
    if (state !== undefined) this.heartbeats.push({ key: state.invokerId, state });
  }

  call(index: number, functionIndex: number, count = 1): boolean {
    return this.host(index).call(functionIndex, count, this.now);
  }

  restart(index: number): void {
    this.schedulers[index] = this.newScheduler();
  }

  /** The scheduler reads some of both topics, and what is configured. */
  learn(index: number, most = Infinity): void {
    const scheduler = this.scheduler(index);
    scheduler.settings = this.settings;
    for (const { key, state } of this.heartbeats.slice(scheduler.heardTo, scheduler.heardTo + most)) {
      scheduler.heardTo++;
      scheduler.heartbeats.read(key, state);
    }
    for (const { key, grant } of this.placements.slice(scheduler.readTo, scheduler.readTo + most)) {
      scheduler.readTo++;
      scheduler.book.read(key, grant);
    }
  }

  takeOver(index: number): void {
    const scheduler = this.scheduler(index);
    const granter = { id: `s${index}`, term: ++this.terms };
    const nothing = { epoch: '', quotas: {}, provisioned: {}, issuedAt: 0, expiresAt: 0 };
    this.placements.push({ key: GRANTER_KEY, grant: { ...nothing, invokerId: GRANTER_KEY, granter } });
    this.learn(index);
    scheduler.term = granter;
    scheduler.unpublished = false;
  }

  /** Plans if it believes that it grants; that belief may be out of date, as may be all that it knows. */
  plan(index: number, delivery: Delivery): void {
    const scheduler = this.scheduler(index);
    const { book, term, unpublished } = scheduler;
    if (term === undefined || book.granter?.term !== term.term) return;
    const grants = planGrants({ ...this.planInput(scheduler), granter: term, renewAll: unpublished });
    if (grants.length === 0) return;
    for (const { earlier, ...bare } of grants) {
      const grant = this.omits.earlier === true || earlier === undefined ? bare : { ...bare, earlier };
      book.send(grant);
      const entry = { key: grant.invokerId, grant };
      if (delivery === 'late' || delivery === 'twice') this.late.push(entry);
      if (delivery === 'stored' || delivery === 'twice' || delivery === 'unknown')
        this.placements.push(entry);
    }
    scheduler.unpublished = delivery === 'lost' || delivery === 'unknown' || delivery === 'late';
  }

  /** What was sent first of all that is late is stored now. */
  arrive(): void {
    this.placements.push(...this.late.splice(0, 1));
  }

  arriveAll(): void {
    this.placements.push(...this.late.splice(0));
  }

  /** Of the account, or of one pool, in MB: what runs and what may be begun, everywhere. */
  usableMb(pool?: string): number {
    let mb = 0;
    for (const host of this.hosts) {
      const quotas = host.validGrant(this.now)?.quotas ?? {};
      for (const name of new Set([...Object.keys(quotas), ...host.runs.flatMap(({ pools }) => pools)])) {
        if (pool === undefined ? !isPartOfAccount(name) : name !== pool) continue;
        mb += Math.max(quotas[name]?.mb ?? 0, host.usedMb(name));
      }
    }
    return mb;
  }

  /** What a host may use of a pool now. */
  usableAt(index: number, pool: string): number {
    return this.host(index).validGrant(this.now)?.quotas[pool]?.mb ?? 0;
  }

  host(index: number): ModelledHost {
    return this.hosts[index] as ModelledHost;
  }

  private newScheduler(): Scheduler {
    const { settings } = this;
    const reads = { readTo: 0, heardTo: 0, term: undefined, unpublished: false };
    return { book: new GrantBook(), heartbeats: new HeartbeatSet(), settings, ...reads };
  }

  private planInput({ book, heartbeats, settings }: Scheduler) {
    const { now, omits } = this;
    const pools = poolsOf(settings).map((pool) => (omits.runsOut === true ? { ...pool, runMs: 0 } : pool));
    const invokers = heartbeats.all;
    const live = [...invokers.values()].filter(({ sentAt }) => now - sentAt < INVOKER_LOST_AFTER_MS);
    // All provisioned instances at the first that lives.
    const [first] = live.map(({ invokerId }) => invokerId).sort();
    const counts = Object.fromEntries(
      pools.flatMap(({ provisioned, quotaMb, unitMb }) =>
        provisioned === undefined || quotaMb === 0 ? [] : [[provisioned, quotaMb / unitMb]],
      ),
    );
    const placed = new Map<string, Record<string, number>>(first === undefined ? [] : [[first, counts]]);
    return { accountMb: ACCOUNT_MB, pools, placed, now, invokers, book };
  }

  private scheduler(index: number): Scheduler {
    return this.schedulers[index] as Scheduler;
  }
}
