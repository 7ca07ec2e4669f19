import {
  topics,
  type InvocationBatch,
  type InvocationRecord,
  type LogBatch,
  type LogLines,
} from '@openscf/contracts';
import type { Bus, IncomingMessage, Subscription } from '@openscf/bus';
import type { Logger } from '@openscf/telemetry';
import { isDataError } from './data-error.policy.js';
import type { RecordRepository } from '../store/record.repository.js';

/** Messages; each is a batch itself, of up to 150 KB of text. */
const MAX_BATCH = 100;
/** A record must be found within a second of the end of its invocation; the invoker waits as long, at most. */
const MAX_WAIT_MS = 100;

type Batch = InvocationBatch | LogBatch;

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
    this.subscription = this.bus.consumeBatches<Batch>({
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

  private async keep(messages: readonly IncomingMessage<Batch>[]): Promise<void> {
    const lines: LogLines[] = [];
    const records: InvocationRecord[] = [];
    for (const { value } of messages) {
      for (const item of value) {
        if ('lines' in item) lines.push(item);
        else records.push(item);
      }
    }
    await this.insert(lines, (some) => this.records.insertLines(some));
    await this.insert(records, (some) => this.records.insertInvocations(some));
  }

  private async insert<T extends InvocationRecord | LogLines>(
    items: readonly T[],
    write: (items: readonly T[]) => Promise<void>,
  ): Promise<void> {
    if (items.length === 0) return;
    try {
      await write(items);
    } catch (error) {
      if (!isDataError(error)) throw error;
      for (const item of items) await this.insertOne(item, write);
    }
  }

  private async insertOne<T extends InvocationRecord | LogLines>(
    item: T,
    write: (items: readonly T[]) => Promise<void>,
  ): Promise<void> {
    try {
      await write([item]);
    } catch (error) {
      if (!isDataError(error)) throw error;
      const { requestId, retryNum } = item;
      this.logger.error({ error, requestId, retryNum }, 'record cannot be kept');
    }
  }
}
