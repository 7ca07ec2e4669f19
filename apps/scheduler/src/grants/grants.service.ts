import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Bus, CompactedTable, Subscription } from '@openscf/bus';
import {
  GRANTER_KEY,
  INVOKER_LOST_AFTER_MS,
  topics,
  type ConcurrencyState,
  type FunctionState,
  type Grant,
  type Granter,
  type InvokerState,
} from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import { Provisioner } from '../provisioning/provisioner.service.js';
import { GrantBook } from './grant.book.js';
import { planGrants } from './grant.policy.js';
import { HeartbeatSet } from './heartbeat.set.js';
import { FunctionFacts, quotaPools, type QuotaSettings } from './quota-pools.policy.js';

/** How long a heartbeat that was read here waits to be seen in the table, which reads the same topic by itself. */
const TABLE_LAG_MS = 1_000;
/** How long a scheduler that takes over waits to read its own record back. */
const TAKE_OVER_MS = 5_000;

export interface GrantsOptions extends QuotaSettings {
  readonly bus: Pick<Bus, 'consume' | 'publish'>;
  readonly invokers: CompactedTable<InvokerState>;
  /** Just made: what its records mean depends on those before them. */
  readonly placements: CompactedTable<Grant>;
  readonly functions: CompactedTable<FunctionState>;
  readonly concurrency: CompactedTable<ConcurrencyState>;
  readonly startsPerMinute: number;
  readonly logger: Logger;
}

/**
 * Hands out the account's concurrency. Of several schedulers the one that owns the only partition of `openscf.invokers` in the
 * consumer group grants: it plans when a heartbeat reaches it and at no other time, so the heartbeats are its clock
 * and its licence. It needs Kafka and nothing else; PostgreSQL may be away.
 *
 * Invariants:
 * 1. A scheduler plans only after it has read its own granter's record back: so it knows every grant of those before it.
 * 2. What one of those sends later lies behind that record, and no reader counts it (`GrantFence`): that it may still
 *    believe that it grants does no harm.
 */
export class Grants {
  private readonly book = new GrantBook();
  private readonly heartbeats = new HeartbeatSet();
  private readonly provisioner: Provisioner;
  private readonly id = randomUUID();
  private term: Granter | undefined;
  private facts: FunctionFacts | undefined;
  private subscription: Subscription | undefined;
  private unpublished = false;

  constructor(private readonly options: GrantsOptions) {
    const { placements, invokers, functions } = options;
    placements.onChange((key, grant) => this.book.read(key, grant));
    invokers.onChange((invokerId, state) => this.heartbeats.read(invokerId, state));
    functions.onChange(() => (this.facts = undefined));
    this.provisioner = new Provisioner(options);
  }

  async start(): Promise<void> {
    const { bus, invokers, placements, functions, concurrency } = this.options;
    await Promise.all([invokers.ready, placements.ready, functions.ready, concurrency.ready]);
    // One that was made before this was, for someone else of this process, has rows already.
    for (const [invokerId, state] of invokers.entries()) this.heartbeats.read(invokerId, state);
    this.subscription = bus.consume({
      topic: topics.invokers,
      groupId: 'openscf.scheduler.grants',
      concurrency: 1,
      handle: (message) => this.onHeartbeat(message.value),
    });
  }

  get connected(): boolean {
    return this.subscription?.connected ?? false;
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.subscription?.stop(timeoutMs);
  }

  /** Grants as of now, for people. */
  current(): Grant[] {
    return this.book.all();
  }

  /** @returns once the grants that the heartbeat calls for are published, or have failed to be */
  async onHeartbeat(heartbeat: InvokerState): Promise<void> {
    // An old heartbeat is no licence: it was read again, or this process was paused and another one grants by now.
    if (Date.now() - heartbeat.sentAt >= INVOKER_LOST_AFTER_MS) return;
    const { invokers } = this.options;
    const isRead = () => (invokers.get(heartbeat.invokerId)?.sentAt ?? 0) >= heartbeat.sentAt;
    await changed(invokers, isRead, TABLE_LAG_MS);
    const granter = await this.takeOver();
    if (granter !== undefined) await this.grant(granter);
  }

  /** Makes this scheduler the one that grants, unless it is already. Undefined when that could not be done now. */
  private async takeOver(): Promise<Granter | undefined> {
    const { bus, placements, logger } = this.options;
    const { book } = this;
    if (this.term !== undefined && isSame(book.granter, this.term)) return this.term;
    const now = Date.now();
    // Not less than the clock, so that a topic that was made again does not begin below what invokers have seen.
    const granter = { id: this.id, term: Math.max(now, (book.granter?.term ?? 0) + 1) };
    const record: Grant = {
      invokerId: GRANTER_KEY,
      epoch: this.id,
      granter,
      quotas: {},
      provisioned: {},
      issuedAt: now,
      expiresAt: now,
    };
    try {
      await bus.publish(topics.placements, [{ key: GRANTER_KEY, value: record }]);
    } catch (error) {
      logger.warn({ error }, 'granting cannot be taken over now');
      return undefined;
    }
    const isDecided = () => (book.granter?.term ?? 0) >= granter.term;
    await changed(placements, isDecided, TAKE_OVER_MS);
    if (!isSame(book.granter, granter)) return undefined;
    this.term = granter;
    logger.info({ granter }, 'grants quota from now on');
    return granter;
  }

  private async grant(granter: Granter): Promise<void> {
    const { bus, logger } = this.options;
    const grants = this.plan(granter);
    if (grants.length === 0) return;
    for (const grant of grants) {
      this.logChange(grant);
      this.book.send(grant);
    }
    try {
      await bus.publish(
        topics.placements,
        grants.map((grant) => ({ key: grant.invokerId, value: grant })),
      );
      this.unpublished = false;
    } catch (error) {
      this.unpublished = true;
      logger.warn({ error }, 'grants cannot be published; they are sent again with the next heartbeat');
    }
  }

  private plan(granter: Granter): Grant[] {
    const { accountMb, namespaceMb, concurrency, functions } = this.options;
    const { book } = this;
    const now = Date.now();
    const invokers = this.heartbeats.all;
    const live = [...invokers.values()].filter((invoker) => now - invoker.sentAt < INVOKER_LOST_AFTER_MS);
    const view = { now, invokers: live, book };
    const pools = quotaPools({
      accountMb,
      namespaceMb,
      concurrency: [...concurrency.values()],
      provisioned: this.provisioner.wanted(view),
      functions: (this.facts ??= new FunctionFacts(functions.values())),
    });
    const placed = this.provisioner.place(pools, view);
    return planGrants({ granter, accountMb, pools, placed, now, invokers, book, renewAll: this.unpublished });
  }

  private logChange(grant: Grant): void {
    const { invokerId, epoch, provisioned } = grant;
    const known = this.book.get(invokerId);
    const mb = mbOf(grant);
    if (known?.epoch === epoch && isDeepStrictEqual([mbOf(known), known.provisioned], [mb, provisioned]))
      return;
    this.options.logger.info({ invokerId, epoch, mb, provisioned }, 'grant changed');
  }
}

function mbOf({ quotas }: Grant): Record<string, number> {
  return Object.fromEntries(Object.entries(quotas).map(([pool, { mb }]) => [pool, mb]));
}

function isSame(a: Granter | undefined, b: Granter): boolean {
  return a !== undefined && a.id === b.id && a.term === b.term;
}

/** Waits until the condition holds after a change of the table. False when it does not within `timeoutMs`. */
function changed<T>(table: CompactedTable<T>, holds: () => boolean, timeoutMs: number): Promise<boolean> {
  if (holds()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (result: boolean) => {
      clearTimeout(timer);
      stopListening();
      resolve(result);
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    const stopListening = table.onChange(() => {
      if (holds()) finish(true);
    });
  });
}
