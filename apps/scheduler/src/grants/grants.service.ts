import { randomUUID } from 'node:crypto';
import { INVOKER_LOST_AFTER_MS, topics, type Grant, type InvokerState } from '@openscf/contracts';
import type { Bus, CompactedTable, Subscription } from '@openscf/bus';
import type { Logger } from '@openscf/telemetry';
import { planGrants } from './grant.policy.js';

/** How long a heartbeat that was read here waits to be seen in the table, which reads the same topic by itself. */
const TABLE_LAG_MS = 1_000;

export interface GrantsOptions {
  readonly bus: Pick<Bus, 'consume' | 'publish'>;
  readonly invokers: CompactedTable<InvokerState>;
  readonly placements: CompactedTable<Grant>;
  readonly quotaMb: number;
  readonly logger: Logger;
}

/** Key of the record that says which scheduler grants. It looks like a grant of nothing to an invoker that does not exist. */
const GRANTER_KEY = 'openscf.granter';
/** How long a scheduler that takes over waits to read its own record back. */
const TAKE_OVER_MS = 5_000;

/**
 * Hands out the account's quota. Of several schedulers the one that owns the only partition of `openscf.invokers` in the
 * consumer group grants: it plans when a heartbeat reaches it and at no other time, so the heartbeats are its clock
 * and its licence. It needs Kafka and nothing else; PostgreSQL may be away.
 *
 * Invariants:
 * 1. A scheduler plans only while the newest granter's record is its own, and it has read that record back: so it knows
 *    every grant of the one before, and that one stops as soon as it reads the record.
 * 2. A grant is in the book before it is sent, so one whose fate is unknown counts.
 */
export class Grants {
  private readonly book = new Map<string, Grant>();
  private subscription: Subscription | undefined;
  private unpublished = false;
  private readonly granterId = randomUUID();

  constructor(private readonly options: GrantsOptions) {}

  async start(): Promise<void> {
    const { bus, invokers, placements } = this.options;
    placements.onChange((invokerId, grant) => this.remember(invokerId, grant));
    await Promise.all([invokers.ready, placements.ready]);
    for (const [invokerId, grant] of placements.entries()) this.remember(invokerId, grant);
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
    return [...this.book.values()];
  }

  /** @returns once the grants that the heartbeat calls for are published, or have failed to be */
  async onHeartbeat(heartbeat: InvokerState): Promise<void> {
    // An old heartbeat is no licence: it was read again, or this process was paused and another one grants by now.
    if (Date.now() - heartbeat.sentAt >= INVOKER_LOST_AFTER_MS) return;
    const { invokers } = this.options;
    const isRead = () => (invokers.get(heartbeat.invokerId)?.sentAt ?? 0) >= heartbeat.sentAt;
    await changed(invokers, isRead, TABLE_LAG_MS);
    if (await this.takeOver()) await this.grant();
  }

  /** Makes this scheduler the one that grants, unless it is already. False when that could not be done now. */
  private async takeOver(): Promise<boolean> {
    const { bus, placements, logger } = this.options;
    const isOurs = () => placements.get(GRANTER_KEY)?.epoch === this.granterId;
    if (isOurs()) return true;
    const now = Date.now();
    const record = {
      invokerId: GRANTER_KEY,
      epoch: this.granterId,
      concurrencyMb: 0,
      issuedAt: now,
      expiresAt: now,
    };
    try {
      await bus.publish(topics.placements, [{ key: GRANTER_KEY, value: record }]);
    } catch (error) {
      logger.warn({ error }, 'granting cannot be taken over now');
      return false;
    }
    const taken = await changed(placements, isOurs, TAKE_OVER_MS);
    if (taken) logger.info({ granterId: this.granterId }, 'grants quota from now on');
    return taken;
  }

  private async grant(): Promise<void> {
    const { bus, quotaMb, logger } = this.options;
    const invokers = new Map(this.options.invokers.entries());
    const grants = planGrants({
      quotaMb,
      now: Date.now(),
      invokers,
      book: this.book,
      renewAll: this.unpublished,
    });
    if (grants.length === 0) return;
    for (const grant of grants) {
      this.logChange(grant);
      this.book.set(grant.invokerId, grant);
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

  private remember(invokerId: string, grant: Grant | undefined): void {
    if (grant === undefined || invokerId === GRANTER_KEY) return;
    const known = this.book.get(invokerId);
    if (known === undefined || grant.issuedAt >= known.issuedAt) this.book.set(invokerId, grant);
  }

  private logChange(grant: Grant): void {
    const known = this.book.get(grant.invokerId);
    if (known?.epoch === grant.epoch && known.concurrencyMb === grant.concurrencyMb) return;
    const { invokerId, epoch, concurrencyMb } = grant;
    this.options.logger.info({ invokerId, epoch, concurrencyMb }, 'grant changed');
  }
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
