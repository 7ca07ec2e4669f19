import { withSpan } from '@openscf/telemetry';
import type { KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import type { ConsumeOptions, IncomingMessage, Subscription } from './bus.types.js';
import { keepUnreadable } from './dead-letter.js';
import { FlowGate } from './flow-gate.js';
import { GroupReader, type OwnedPartition } from './group-reader.js';
import type { KafkaFactory } from './kafka.factory.js';
import { KeyedPool } from './keyed-pool.js';
import type { Publisher } from './publisher.js';
import { decode, sizeOf } from './record.codec.js';
import { retryUntilDone } from './retry.js';
import { within } from './within.js';

const COMMIT_DELAY_MS = 1_000;
const LIMITS = { records: 2_000, bytes: 8 * 1024 * 1024 };
const STOP_MS = 10_000;

/** Message by message, several at once; see `Bus.consume`. */
export class MessageConsumer<T> implements Subscription {
  private readonly reader: GroupReader;
  private readonly pool: KeyedPool;
  private readonly gate: FlowGate;

  constructor(
    private readonly factory: KafkaFactory,
    admin: BusAdmin,
    private readonly publisher: Publisher,
    private readonly options: ConsumeOptions<T>,
  ) {
    this.pool = new KeyedPool(options.concurrency);
    this.gate = new FlowGate(() => this.reader, LIMITS);
    this.reader = new GroupReader(factory, admin, {
      groupId: options.groupId,
      topics: [options.topic.name],
      commitDelayMs: options.commitDelayMs ?? COMMIT_DELAY_MS,
      startOffset: () => Promise.resolve(0),
      onRecord: (owned, record) => this.take(owned, record),
      onFetched: (owned) => this.gate.fetched(owned),
      onReleased: (owned) => this.gate.released(owned),
    });
  }

  get connected(): boolean {
    return this.reader.connected;
  }

  async stop(timeoutMs = STOP_MS): Promise<void> {
    await within(timeoutMs, this.pool.close());
    await this.reader.stop();
  }

  private take(owned: OwnedPartition, record: KafkaMessage): void {
    const bytes = sizeOf(record);
    this.gate.taken(owned, bytes);
    const lane =
      this.options.order === 'none' || record.key === null ? undefined : record.key.toString('latin1');
    this.pool.add(lane, async () => {
      const done = await retryUntilDone(() => this.handle(owned, record), {
        signal: owned.released.signal,
        onError: (error, attempt) => this.report(owned, record, error, attempt),
      });
      if (!done) return;
      this.reader.settle(owned, record.offset);
      this.gate.settled(owned, bytes);
    });
  }

  private async handle(owned: OwnedPartition, record: KafkaMessage): Promise<void> {
    const { topic, groupId } = this.options;
    const decoded = decode(topic, owned.partition, record);
    switch (decoded.kind) {
      case 'message':
        return this.traced(decoded.message);
      case 'tombstone':
        return undefined;
      case 'unreadable': {
        const origin = { topic: topic.name, partition: owned.partition, groupId };
        await keepUnreadable(this.publisher, origin, record, decoded.reason);
        const { reason } = decoded;
        this.factory.logger.warn(
          { ...origin, offset: record.offset, reason },
          'record cannot be read, kept as unreadable',
        );
      }
    }
  }

  private traced(message: IncomingMessage<T>): Promise<void> {
    const parent = message.headers['traceparent'];
    if (parent === undefined) return this.options.handle(message);
    return withSpan(`consume ${message.topic}`, { parent, kind: 'consumer' }, () =>
      this.options.handle(message),
    );
  }

  private report(owned: OwnedPartition, record: KafkaMessage, error: unknown, attempt: number): void {
    const { topic, partition } = owned;
    this.factory.logger.warn(
      { topic, partition, offset: record.offset, attempt, error },
      'handler failed, trying again',
    );
  }
}
