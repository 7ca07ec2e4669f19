import type { KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import { BatchPump } from './batch-pump.js';
import type { Stream, StreamOptions } from './bus.types.js';
import { FlowGate } from './flow-gate.js';
import { GroupReader, type OwnedPartition } from './group-reader.js';
import type { KafkaFactory } from './kafka.factory.js';
import { rawMessage, sizeOf } from './record.codec.js';
import { retryUntilDone } from './retry.js';
import { StreamStart } from './stream-start.js';
import { within } from './within.js';

const COMMIT_DELAY_MS = 100;
const BUFFER_BYTES = 4 * 1024 * 1024;
const STOP_MS = 10_000;

/** A user's topic: raw records in order per partition, partitions independent of each other; see `Bus.stream`. */
export class TopicStream implements Stream {
  private readonly reader: GroupReader;
  private readonly gate: FlowGate;
  private readonly pumps = new Map<OwnedPartition, BatchPump<KafkaMessage>>();
  private readonly handling = new Set<Promise<void>>();
  private paused = false;

  constructor(
    private readonly factory: KafkaFactory,
    admin: BusAdmin,
    private readonly options: StreamOptions,
  ) {
    const { topicName, groupId, startAt, maxMessages } = options;
    const start = new StreamStart(admin, topicName, startAt);
    const limits = { records: Math.max(2 * maxMessages, 500), bytes: options.bufferBytes ?? BUFFER_BYTES };
    this.gate = new FlowGate(() => this.reader, limits);
    this.reader = new GroupReader(factory, admin, {
      groupId,
      topics: [topicName],
      commitDelayMs: COMMIT_DELAY_MS,
      startOffset: (_topic, partition) => start.offsetOf(partition),
      onRecord: (owned, record) => {
        this.gate.taken(owned, sizeOf(record));
        this.pumpOf(owned).push(record);
      },
      onFetched: (owned) => this.gate.fetched(owned),
      onReleased: (owned) => {
        void this.pumps.get(owned)?.close();
        this.pumps.delete(owned);
        this.gate.released(owned);
      },
    });
  }

  get connected(): boolean {
    return this.reader.connected;
  }

  pause(): void {
    this.paused = true;
    for (const pump of this.pumps.values()) pump.hold();
  }

  resume(): void {
    this.paused = false;
    for (const pump of this.pumps.values()) pump.release();
  }

  async stop(timeoutMs = STOP_MS): Promise<void> {
    for (const pump of this.pumps.values()) void pump.close();
    await within(timeoutMs, Promise.all(this.handling));
    await this.reader.stop();
  }

  private pumpOf(owned: OwnedPartition): BatchPump<KafkaMessage> {
    const present = this.pumps.get(owned);
    if (present) return present;
    const { maxMessages, maxWaitMs } = this.options;
    const pump = new BatchPump<KafkaMessage>({
      maxBatch: maxMessages,
      maxWaitMs,
      handle: (batch) => this.tracked(this.handle(owned, batch)),
    });
    if (this.paused) pump.hold();
    this.pumps.set(owned, pump);
    return pump;
  }

  private tracked(work: Promise<void>): Promise<void> {
    this.handling.add(work);
    return work.finally(() => this.handling.delete(work));
  }

  private async handle(owned: OwnedPartition, batch: KafkaMessage[]): Promise<void> {
    const { topic, partition } = owned;
    const messages = batch.map((record) => rawMessage(topic, partition, record));
    const done = await retryUntilDone(() => this.options.handle(messages), {
      signal: owned.released.signal,
      onError: (error, attempt) => {
        const { groupId } = this.options;
        this.factory.logger.warn(
          { groupId, topic, partition, attempt, error },
          'handler failed, trying again',
        );
      },
    });
    if (!done) return;
    for (const record of batch) {
      this.reader.settle(owned, record.offset);
      this.gate.settled(owned, sizeOf(record));
    }
  }
}
