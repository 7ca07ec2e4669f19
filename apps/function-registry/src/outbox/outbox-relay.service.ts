import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import { topics, type Topic } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import { LOGGER } from '../registry.config.js';
import { OutboxRepository, type OutboxRecord } from './outbox.repository.js';

const BATCH = 500;
/** How long a record waits at most when the replica that wrote it died before it could publish it. */
const SWEEP_MS = 1_000;
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;

const published: Record<string, Topic<unknown>> = Object.fromEntries(
  [topics.functions, topics.concurrency, topics.triggers, topics.credentials].map((topic) => [
    topic.name,
    topic as Topic<unknown>,
  ]),
);

/**
 * Publishes the outbox in order. `kick` after a commit starts it at once; a sweep finds what a dead replica left.
 * 1. At most one pass runs at a time: `running` is its promise.  2. A kick during a pass causes another one after it, so a
 * record committed before the kick is never left.  3. After a failure passes go on with growing pauses, by themselves.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, OnModuleDestroy {
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.kick();
  }

  /** Publishes soon. Returns at once and never throws. */
  kick(): void {
    if (this.stopped) return;
    this.again = true;
    this.running ??= Promise.resolve()
      .then(() => this.passes())
      .finally(() => {
        this.running = undefined;
        if (this.again && this.failures === 0) this.kick();
        else this.schedule();
      });
  }

  /** After the commands have been drained: what they wrote is on its way or waits for the next start. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const backoff = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.failures - 1));
    this.timer = setTimeout(() => this.kick(), this.failures > 0 ? backoff : SWEEP_MS);
  }

  private async passes(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      try {
        const sent = await this.outbox.relay(BATCH, (records) => this.publish(records));
        if (sent === BATCH) this.again = true;
        if (this.failures > 0) this.logger.info({ failures: this.failures }, 'the outbox is published again');
        this.failures = 0;
      } catch (error) {
        if (this.failures === 0) this.logger.warn({ error }, 'the outbox cannot be published, trying again');
        this.failures += 1;
        return;
      }
    }
  }

  private async publish(records: OutboxRecord[]): Promise<void> {
    const byTopic = Map.groupBy(records, (record) => record.topic);
    for (const [name, group] of byTopic) {
      const topic = published[name];
      if (!topic) throw new Error(`The outbox holds a record for the unknown topic ${name}.`);
      await this.bus.publish(
        topic,
        group.map(({ key, value }) => ({ key, value })),
      );
    }
  }
}
