import type { Topic } from '@openscf/contracts';
import type { KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import { BatchPump } from './batch-pump.js';
import type { ConsumeBatchesOptions, IncomingMessage, Subscription } from './bus.types.js';
import { keepUnreadable } from './dead-letter.js';
import { FlowGate } from './flow-gate.js';
import { GroupReader, type OwnedPartition } from './group-reader.js';
import type { KafkaFactory } from './kafka.factory.js';
import type { Publisher } from './publisher.js';
import { decode, sizeOf } from './record.codec.js';
import { retryUntilDone } from './retry.js';
import { within } from './within.js';

interface Taken {
  readonly owned: OwnedPartition;
  readonly record: KafkaMessage;
}

const COMMIT_DELAY_MS = 500;
const LIMIT_BYTES = 8 * 1024 * 1024;
const STOP_MS = 10_000;

/** Batches over all partitions and topics, one at a time; see `Bus.consumeBatches`. */
export class BatchConsumer<T> implements Subscription {
  private readonly topics: ReadonlyMap<string, Topic<T>>;
  private readonly reader: GroupReader;
  private readonly gate: FlowGate;
  private readonly pump: BatchPump<Taken>;
  private readonly stopping = new AbortController();

  constructor(
    private readonly factory: KafkaFactory,
    admin: BusAdmin,
    private readonly publisher: Publisher,
    private readonly options: ConsumeBatchesOptions<T>,
  ) {
    const { topic, groupId, maxBatch, maxWaitMs } = options;
    const list: readonly Topic<T>[] = 'name' in topic ? [topic] : topic;
    this.topics = new Map(list.map((entry) => [entry.name, entry]));
    this.gate = new FlowGate(() => this.reader, {
      records: Math.max(2 * maxBatch, 1_000),
      bytes: LIMIT_BYTES,
    });
    this.pump = new BatchPump({ maxBatch, maxWaitMs, handle: (batch) => this.handle(batch) });
    this.reader = new GroupReader(factory, admin, {
      groupId,
      topics: [...this.topics.keys()],
      commitDelayMs: COMMIT_DELAY_MS,
      startOffset: () => Promise.resolve(0),
      onRecord: (owned, record) => {
        this.gate.taken(owned, sizeOf(record));
        this.pump.push({ owned, record });
      },
      onFetched: (owned) => this.gate.fetched(owned),
      onReleased: (owned) => this.gate.released(owned),
    });
  }

  get connected(): boolean {
    return this.reader.connected;
  }

  async stop(timeoutMs = STOP_MS): Promise<void> {
    await within(timeoutMs, this.pump.close());
    this.stopping.abort();
    await this.reader.stop();
  }

  private async handle(batch: Taken[]): Promise<void> {
    const ours = batch.filter(({ owned }) => !owned.released.signal.aborted);
    if (ours.length === 0) return;
    const done = await retryUntilDone(() => this.handOver(ours), {
      signal: this.stopping.signal,
      onError: (error, attempt) => {
        const { groupId } = this.options;
        this.factory.logger.warn(
          { groupId, batch: ours.length, attempt, error },
          'handler failed, trying again',
        );
      },
    });
    if (!done) return;
    for (const { owned, record } of ours) {
      this.reader.settle(owned, record.offset);
      this.gate.settled(owned, sizeOf(record));
    }
  }

  private async handOver(batch: Taken[]): Promise<void> {
    const messages: IncomingMessage<T>[] = [];
    for (const { owned, record } of batch) {
      const topic = this.topics.get(owned.topic);
      if (!topic) continue;
      const decoded = decode(topic, owned.partition, record);
      if (decoded.kind === 'message') messages.push(decoded.message);
      if (decoded.kind !== 'unreadable') continue;
      const origin = { topic: owned.topic, partition: owned.partition, groupId: this.options.groupId };
      await keepUnreadable(this.publisher, origin, record, decoded.reason);
      const { reason } = decoded;
      this.factory.logger.warn(
        { ...origin, offset: record.offset, reason },
        'record cannot be read, kept as unreadable',
      );
    }
    if (messages.length > 0) await this.options.handle(messages);
  }
}
