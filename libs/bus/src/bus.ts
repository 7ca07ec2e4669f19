import type { Topic } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type {
  CompactedTable,
  ConsumeBatchesOptions,
  ConsumeOptions,
  OutgoingMessage,
  RawOutgoingMessage,
  Requester,
  Stream,
  StreamOptions,
  Subscription,
} from './bus.types.js';

export interface BusOptions {
  readonly brokers: readonly string[];
  /** Name of the process in the broker's logs and metrics. */
  readonly clientId: string;
  readonly logger: Logger;
}

/** The platform's Kafka. One per process; everything that it started ends with `close`. */
export class Bus {
  constructor(private readonly options: BusOptions) {}

  /** Makes the topics that are missing, command and unreadable topics included. Idempotent. @throws UnavailableError */
  ensureTopics(_topics: readonly Topic<unknown>[]): Promise<void> {
    throw new Error(`not yet ${this.options.clientId}`);
  }

  /** True when the broker answered within the last seconds. */
  isReachable(): Promise<boolean> {
    throw new Error('not yet');
  }

  /**
   * Stores the records (acks=all), in this order per key, and resolves once they are stored.
   * @throws UnavailableError within about 5 s when Kafka is away, InvalidRecordError when a value does not fit its schema.
   */
  publish<T>(_topic: Topic<T>, _messages: readonly OutgoingMessage<T>[]): Promise<void> {
    throw new Error('not yet');
  }

  /** The same for bytes of a topic that is not ours. */
  publishRaw(_topicName: string, _messages: readonly RawOutgoingMessage[]): Promise<void> {
    throw new Error('not yet');
  }

  consume<T>(_options: ConsumeOptions<T>): Subscription {
    throw new Error('not yet');
  }

  consumeBatches<T>(_options: ConsumeBatchesOptions<T>): Subscription {
    throw new Error('not yet');
  }

  stream(_options: StreamOptions): Stream {
    throw new Error('not yet');
  }

  /** The table of a compacted topic; the same one for every caller of this process. */
  table<T>(_topic: Topic<T>): CompactedTable<T> {
    throw new Error('not yet');
  }

  requester(_requesterId: string): Requester {
    throw new Error('not yet');
  }

  /** Stops every consumer and waits (bounded) for what they have in flight; publishing still works. */
  drain(_deadlineMs: number): Promise<void> {
    throw new Error('not yet');
  }

  close(): Promise<void> {
    throw new Error('not yet');
  }
}
