import { topics, type Topic } from '@openscf/contracts';
import type { Bus, IncomingMessage, Subscription } from '@openscf/bus';
import type { Logger } from '@openscf/telemetry';
import { isDataError } from './data-error.policy.js';
import type { RecordRepository } from '../store/record.repository.js';

const MAX_BATCH = 1_000;
/** A record must be found within a second of the end of its invocation; waiting for company is most of the way. */
const MAX_WAIT_MS = 50;

/**
 * Reads records and lines from Kafka and keeps them. While PostgreSQL is away a batch fails and is read again: Kafka keeps it. A
 * record that PostgreSQL can never take is left out and logged, so that it does not hold back the others.
 */
export class IngestConsumer {
  private subscriptions: Subscription[] = [];

  constructor(
    private readonly bus: Pick<Bus, 'consumeBatches'>,
    private readonly records: Pick<RecordRepository, 'insertInvocations' | 'insertLines'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.subscriptions = [
      this.read(topics.invocations, 'openscf.log.invocations', (records) =>
        this.records.insertInvocations(records),
      ),
      this.read(topics.logLines, 'openscf.log.lines', (records) => this.records.insertLines(records)),
    ];
  }

  get connected(): boolean {
    return (
      this.subscriptions.length > 0 && this.subscriptions.every((subscription) => subscription.connected)
    );
  }

  async stop(timeoutMs: number): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.stop(timeoutMs)));
  }

  private read<T extends { requestId: string }>(
    topic: Topic<T>,
    groupId: string,
    insert: (records: readonly T[]) => Promise<void>,
  ): Subscription {
    return this.bus.consumeBatches({
      topic,
      groupId,
      maxBatch: MAX_BATCH,
      maxWaitMs: MAX_WAIT_MS,
      handle: (messages) => this.keep(messages, insert),
    });
  }

  private async keep<T extends { requestId: string }>(
    messages: readonly IncomingMessage<T>[],
    insert: (records: readonly T[]) => Promise<void>,
  ): Promise<void> {
    try {
      await insert(messages.map((message) => message.value));
    } catch (error) {
      if (!isDataError(error)) throw error;
      await this.keepOneByOne(messages, insert);
    }
  }

  private async keepOneByOne<T extends { requestId: string }>(
    messages: readonly IncomingMessage<T>[],
    insert: (records: readonly T[]) => Promise<void>,
  ): Promise<void> {
    for (const { value, topic, partition, offset } of messages) {
      try {
        await insert([value]);
      } catch (error) {
        if (!isDataError(error)) throw error;
        this.logger.error(
          { error, requestId: value.requestId, topic, partition, offset },
          'record cannot be kept',
        );
      }
    }
  }
}
