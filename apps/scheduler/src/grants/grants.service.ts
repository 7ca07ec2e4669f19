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

/**
 * Hands out the account's quota. Of several schedulers the one that owns the only partition of `openscf.invokers` in the
 * consumer group grants: it plans when a heartbeat reaches it and at no other time, so the heartbeats are its clock
 * and its licence. It needs Kafka and nothing else; PostgreSQL may be away.
 */
export class Grants {
  private readonly book = new Map<string, Grant>();
  private subscription: Subscription | undefined;
  private unpublished = false;

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
    await this.inTable(heartbeat);
    await this.grant();
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
    // Remembered before they are sent: a grant whose fate is unknown counts.
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
    const known = this.book.get(invokerId);
    if (grant !== undefined && (known === undefined || grant.issuedAt >= known.issuedAt))
      this.book.set(invokerId, grant);
  }

  private logChange(grant: Grant): void {
    const known = this.book.get(grant.invokerId);
    if (known?.epoch === grant.epoch && known.concurrencyMb === grant.concurrencyMb) return;
    const { invokerId, epoch, concurrencyMb } = grant;
    this.options.logger.info({ invokerId, epoch, concurrencyMb }, 'grant changed');
  }

  private inTable(heartbeat: InvokerState): Promise<void> {
    const { invokers } = this.options;
    const isThere = () => (invokers.get(heartbeat.invokerId)?.sentAt ?? 0) >= heartbeat.sentAt;
    if (isThere()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const timer = setTimeout(finish, TABLE_LAG_MS);
      const stopListening = invokers.onChange((invokerId) => {
        if (invokerId === heartbeat.invokerId && isThere()) finish();
      });
    });
  }
}
