import type { Bus, Stream } from '@openscf/bus';
import type { CkafkaTrigger, TriggerState } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { TriggerKind } from '../../triggers/trigger-kind.types.js';
import { BatchStoppedError, type BatchRunner } from './batch.runner.js';
import { streamOf } from './stream.policy.js';

/** How long a trigger that was changed or removed waits for the answer that its function is working on. */
const CHANGE_GRACE_MS = 5_000;

interface Reader {
  /** As it is now: a changed retry count or qualifier needs no new stream. */
  trigger: CkafkaTrigger;
  readonly shape: string;
  readonly stream: Stream;
  readonly stopping: AbortController;
  readonly aborted: AbortController;
}

/** Triggers on topics: one consumer group for each, which moves on when the function has answered. */
export class KafkaKind implements TriggerKind {
  readonly type = 'ckafka';
  private readonly readers = new Map<string, Reader>();
  /** What is wanted, by key; the newest counts. */
  private readonly wanted = new Map<string, CkafkaTrigger | undefined>();
  /** One change at a time for each trigger: a group is left before it is joined anew. */
  private readonly changing = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(
    private readonly bus: Bus,
    private readonly runner: BatchRunner,
    private readonly logger: Logger,
  ) {}

  begin(triggers: ReadonlyMap<string, TriggerState>): Promise<void> {
    for (const [key, trigger] of triggers) this.changed(key, trigger);
    return Promise.resolve();
  }

  changed(key: string, trigger: TriggerState | undefined): void {
    this.wanted.set(key, trigger?.type === 'ckafka' && trigger.enabled ? trigger : undefined);
    const before = this.changing.get(key) ?? Promise.resolve();
    const change = before
      .then(() => this.apply(key))
      .catch((error: unknown) =>
        this.logger.error({ error, trigger: key }, 'a Kafka trigger cannot be changed'),
      )
      .finally(() => {
        if (this.changing.get(key) === change) this.changing.delete(key);
      });
    this.changing.set(key, change);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.stopped = true;
    await Promise.all(this.changing.values());
    await Promise.all([...this.readers.values()].map((reader) => this.end(reader, deadlineMs)));
    this.readers.clear();
  }

  private async apply(key: string): Promise<void> {
    if (this.stopped) return;
    const trigger = this.wanted.get(key);
    const reader = this.readers.get(key);
    const shape = trigger && JSON.stringify(streamOf(trigger));
    if (reader && trigger && reader.shape === shape) {
      reader.trigger = trigger;
      return;
    }
    if (reader) {
      this.readers.delete(key);
      await this.end(reader, CHANGE_GRACE_MS);
    }
    // Changed again meanwhile: that change is next.
    if (trigger && this.wanted.get(key) === trigger) this.readers.set(key, this.start(trigger, shape ?? ''));
    if (!trigger && this.wanted.get(key) === undefined) this.wanted.delete(key);
  }

  private start(trigger: CkafkaTrigger, shape: string): Reader {
    const stopping = new AbortController();
    const aborted = new AbortController();
    const stop = { stopping: stopping.signal, aborted: aborted.signal };
    const { namespace, functionName, triggerName } = trigger;
    const logger = this.logger.child({ namespace, functionName, triggerName });
    const stream = this.bus.stream({
      ...streamOf(trigger),
      handle: async (batch) => {
        try {
          await this.runner.run(() => reader.trigger, batch, stop);
        } catch (error) {
          if (!(error instanceof BatchStoppedError)) {
            logger.warn(
              { error, topic: trigger.topic, firstOffset: batch[0]?.offset },
              'a batch is tried again',
            );
          }
          throw error;
        }
      },
    });
    const reader: Reader = { trigger, shape, stream, stopping, aborted };
    logger.info({ topic: trigger.topic }, 'Kafka trigger started');
    return reader;
  }

  /** Waits for the function's answer for a while, so that it is committed; what is not settled then is delivered again. */
  private async end(reader: Reader, graceMs: number): Promise<void> {
    reader.stopping.abort();
    const abort = setTimeout(() => reader.aborted.abort(), Math.max(graceMs - 500, 0));
    await reader.stream.stop(graceMs);
    clearTimeout(abort);
    reader.aborted.abort();
    this.logger.info(
      { topic: reader.trigger.topic, triggerName: reader.trigger.triggerName },
      'Kafka trigger stopped',
    );
  }
}
