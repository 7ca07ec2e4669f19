import type { Bus, Subscription } from '@openscf/bus';
import { topics, type BucketNotification, type TriggerState } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { TriggerKind } from '../../triggers/trigger-kind.types.js';
import type { BucketNotificationService } from './bucket-notification.service.js';
import type { BucketTriggers } from './bucket-triggers.js';
import type { ObjectChangeHandler } from './object-change.handler.js';
import type { SeenEventRepository } from './seen-event.repository.js';

/** As long as the topics of the reports keep a report that may come a second time. */
const REMEMBERED_DAYS = 8;
const TIDY_EVERY_MS = 3_600_000;

const GROUP = 'openscf.trigger-bridge.object-events';

/** Triggers on buckets: keeps the buckets' notifications and reads both topics that MinIO reports to. */
export class ObjectStoreKind implements TriggerKind {
  readonly type = 'cos';
  private subscription: Subscription | undefined;
  private tidying: NodeJS.Timeout | undefined;

  constructor(
    private readonly triggers: BucketTriggers,
    private readonly notifications: BucketNotificationService,
    private readonly handler: ObjectChangeHandler,
    private readonly seen: Pick<SeenEventRepository, 'forgetOlderThan'>,
    private readonly bus: Bus,
    private readonly logger: Logger,
  ) {}

  begin(triggers: ReadonlyMap<string, TriggerState>): Promise<void> {
    for (const [key, trigger] of triggers) this.triggers.set(key, trigger);
    this.notifications.begin(this.triggers.buckets());
    // Only now: a report that finds no trigger is done with.
    this.subscription = this.bus.consumeBatches<BucketNotification>({
      topic: [topics.objectEvents, topics.durableObjectEvents],
      groupId: GROUP,
      maxBatch: 500,
      maxWaitMs: 5,
      handle: (messages) => this.handler.handle(messages.map((message) => message.value)),
    });
    this.tidying = setInterval(() => void this.tidy(), TIDY_EVERY_MS);
    return Promise.resolve();
  }

  changed(key: string, trigger: TriggerState | undefined): void {
    for (const bucket of this.triggers.set(key, trigger)) this.notifications.look(bucket);
  }

  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.tidying);
    await Promise.all([this.subscription?.stop(deadlineMs), this.notifications.stop()]);
  }

  private async tidy(): Promise<void> {
    try {
      await this.seen.forgetOlderThan(REMEMBERED_DAYS);
    } catch (error) {
      this.logger.warn({ error }, 'old object events cannot be forgotten; trying again in an hour');
    }
  }
}
