import { topics, type InvocationRecord, type LogLines } from '@openscf/contracts';
import type { Bus, IncomingMessage, Subscription } from '@openscf/bus';
import type { Logger } from '@openscf/telemetry';
import { isDataError } from './data-error.policy.js';
import type { RecordRepository } from '../store/record.repository.js';

const MAX_BATCH = 1_000;
/** A record must be found within a second of the end of its invocation; waiting for company is most of the way. */
const MAX_WAIT_MS = 50;

type Kept = InvocationRecord | LogLines;

/**
 * Reads lines and records from Kafka and keeps them, the lines of a batch first, so that a record that is found has its lines with
 * it. While PostgreSQL is away a batch fails and is read again: Kafka keeps it. A record that PostgreSQL can never take is
 * left out and logged, so that it does not hold back the others.
 */
export class IngestConsumer {
  private subscription: Subscription | undefined;

  constructor(
    private readonly bus: Pick<Bus, 'consumeBatches'>,
    private readonly records: Pick<RecordRepository, 'insertInvocations' | 'insertLines'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.subscription = this.bus.consumeBatches<Kept>({
      topic: [topics.logLines, topics.invocations],
      groupId: 'openscf.log',
      maxBatch: MAX_BATCH,
      maxWaitMs: MAX_WAIT_MS,
      handle: (messages) => this.keep(messages),
    });
  }

  get connected(): boolean {
    return this.subscription?.connected ?? false;
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.subscription?.stop(timeoutMs);
  }

  private async keep(messages: readonly IncomingMessage<Kept>[]): Promise<void> {
    try {
      await this.insert(messages);
    } catch (error) {
      if (!isDataError(error)) throw error;
      await this.keepOneByOne(messages);
    }
  }

  private async keepOneByOne(messages: readonly IncomingMessage<Kept>[]): Promise<void> {
    for (const message of messages) {
      try {
        await this.insert([message]);
      } catch (error) {
        if (!isDataError(error)) throw error;
        const { value, topic, partition, offset } = message;
        this.logger.error(
          { error, requestId: value.requestId, topic, partition, offset },
          'record cannot be kept',
        );
      }
    }
  }

  private async insert(messages: readonly IncomingMessage<Kept>[]): Promise<void> {
    const values = messages.map(({ value }) => value);
    await this.records.insertLines(values.filter(isLines));
    await this.records.insertInvocations(
      values.filter((value): value is InvocationRecord => !isLines(value)),
    );
  }
}

function isLines(value: Kept): value is LogLines {
  return 'lines' in value;
}
