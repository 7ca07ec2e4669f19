import { hostname } from 'node:os';
import { UnavailableError, type Topic } from '@openscf/contracts';
import { waitForPart, type Logger } from '@openscf/telemetry';
import { BusAdmin, withPlatformTopics } from './admin.js';
import { assertListening } from './arrival.js';
import { BatchConsumer } from './batch-consumer.js';
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
import { CommandConsumer, type ServeCommandsOptions } from './command-consumer.js';
import { MessageConsumer } from './consumer.js';
import { KafkaFactory } from './kafka.factory.js';
import { Publisher } from './publisher.js';
import { encode } from './record.codec.js';
import { KafkaRequester } from './requester.js';
import { TopicStream } from './stream.js';
import { KafkaTable } from './table.js';
import { TableReaders } from './table-readers.js';

export interface BusOptions {
  readonly brokers: readonly string[];
  /** Name of the service. With the host's name it is what the broker knows the process by, also after a restart. */
  readonly clientId: string;
  readonly logger: Logger;
}

const REACHABLE_FOR_MS = 2_000;

function isAway(error: unknown): boolean {
  return error instanceof UnavailableError;
}

/** The platform's Kafka. One per process; everything that it started ends with `close`. */
export class Bus {
  readonly logger: Logger;
  private readonly clientId: string;
  private readonly factory: KafkaFactory;
  private readonly admin: BusAdmin;
  private readonly publisher: Publisher;
  private readonly subscriptions = new Set<Subscription>();
  private readonly tables = new Map<string, KafkaTable<unknown>>();
  private readonly tableReaders: TableReaders;
  private readonly requesters = new Map<string, KafkaRequester>();
  private readonly closing = new AbortController();
  private listening: Promise<boolean> | undefined;
  private opening: Promise<boolean> | undefined;
  private reachable: { atMs: number; answer: Promise<boolean> } | undefined;

  constructor(options: BusOptions) {
    this.logger = options.logger;
    this.clientId = `${options.clientId}.${hostname()}`;
    this.factory = new KafkaFactory(options.brokers, this.clientId, options.logger);
    this.admin = new BusAdmin(this.factory);
    this.publisher = new Publisher(this.factory);
    this.tableReaders = new TableReaders(this.factory, this.admin, () => this.untilOpened());
  }

  /**
   * The start of a service: waits for Kafka as long as it takes, makes the topics that are missing (`ensureTopics`), and lets tables and
   * requesters begin, which wait for the same.
   * @returns false when the signal was aborted, or the bus closed, before Kafka came
   */
  open(topics: readonly Topic<unknown>[], signal: AbortSignal): Promise<boolean> {
    const make = async (): Promise<void> => {
      await assertListening(this.factory.brokers);
      await this.ensureTopics(topics);
    };
    this.opening = waitForPart('Kafka', make, {
      logger: this.logger,
      isAway,
      signal: AbortSignal.any([signal, this.closing.signal]),
    });
    return this.opening;
  }

  /** Makes the topics that are missing, the platform's own and those for commands included. Idempotent. @throws UnavailableError */
  ensureTopics(topics: readonly Topic<unknown>[]): Promise<void> {
    return this.admin.ensureTopics(withPlatformTopics(topics));
  }

  /** True when the broker answered within the last 2 s. */
  isReachable(): Promise<boolean> {
    const now = Date.now();
    if (!this.reachable || now - this.reachable.atMs > REACHABLE_FOR_MS) {
      const answer = this.admin.topicExists('openscf.functions').then(
        () => true,
        () => false,
      );
      this.reachable = { atMs: now, answer };
    }
    return this.reachable.answer;
  }

  /**
   * Stores the records (acks=all), in this order per key, and resolves once they are stored.
   * @throws UnavailableError within about 5 s when Kafka is away, InvalidRecordError when a value does not fit its schema.
   */
  async publish<T>(topic: Topic<T>, messages: readonly OutgoingMessage<T>[]): Promise<void> {
    await this.publisher.send(
      topic.name,
      messages.map((message) => encode(topic, message)),
    );
  }

  /** The same for bytes of a topic that is not ours. */
  publishRaw(topicName: string, messages: readonly RawOutgoingMessage[]): Promise<void> {
    return this.publisher.send(
      topicName,
      messages.map(({ key, value, headers }) => ({
        key,
        value,
        ...(headers && { headers: { ...headers } }),
      })),
    );
  }

  /** Message by message, several at once. At least once: a message whose offset was not committed before a crash comes again. */
  consume<T>(options: ConsumeOptions<T>): Subscription {
    return this.keep(new MessageConsumer(this.factory, this.admin, this.publisher, options));
  }

  /** Batches over all partitions, one at a time. At least once. */
  consumeBatches<T>(options: ConsumeBatchesOptions<T>): Subscription {
    return this.keep(new BatchConsumer(this.factory, this.admin, this.publisher, options));
  }

  /** A topic that is not ours: raw batches in order per partition. Waits for a topic that does not exist yet. At least once. */
  stream(options: StreamOptions): Stream {
    const { brokers } = options;
    const factory = brokers ? new KafkaFactory(brokers, this.clientId, this.logger) : this.factory;
    return this.keep(new TopicStream(factory, brokers ? new BusAdmin(factory) : this.admin, options));
  }

  /** The table of a compacted topic; the same one for every caller of this process. */
  table<T>(topic: Topic<T>): CompactedTable<T> {
    const present = this.tables.get(topic.name);
    // One topic has one schema, so the table in the map is of this T.
    if (present) return present as unknown as KafkaTable<T>;
    const { name } = topic;
    const position = (partition: number): number => this.tableReaders.position(name, partition);
    const table = new KafkaTable(topic, this.admin, this.logger, position);
    const kept = table as unknown as KafkaTable<unknown>;
    this.tables.set(name, kept);
    this.tableReaders.add(kept);
    return table;
  }

  /**
   * @param requesterId names the reply topic, which stays: use an id that a restarted process has again, and that no other process
   * has (letters, digits, `.`, `_`, `-`).
   */
  requester(requesterId: string): Requester {
    const present = this.requesters.get(requesterId);
    if (present) return present;
    const opened = this.untilOpened();
    const requester = new KafkaRequester(this.factory, this.admin, this.publisher, requesterId, opened);
    this.requesters.set(requesterId, requester);
    return requester;
  }

  /** For `KafkaCommandServer`. */
  serveCommands(options: ServeCommandsOptions): Subscription {
    return this.keep(new CommandConsumer(this.factory, this.admin, this.publisher, options));
  }

  /** Stops what reads with a group, waiting for what is in flight until the deadline (ms since the epoch). Publishing and tables go on. */
  async drain(deadlineMs: number): Promise<void> {
    const timeoutMs = Math.max(0, deadlineMs - Date.now());
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop(timeoutMs)));
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.drain(Date.now() + 1_000);
    for (const table of this.tables.values()) table.stop();
    await Promise.all([...this.requesters.values(), this.tableReaders].map((reader) => reader.stop()));
    await this.publisher.close();
  }

  /** Kafka is there, and so are the topics if this process makes them. */
  private async untilOpened(): Promise<void> {
    await this.untilListening();
    await this.opening;
  }

  private async untilListening(): Promise<void> {
    this.listening ??= waitForPart('Kafka', () => assertListening(this.factory.brokers), {
      logger: { warn: (fields, message) => this.logger.debug(fields, message) }, // `open` says it
      isAway,
      signal: this.closing.signal,
    });
    await this.listening;
  }

  /** Remembers it until it is stopped. */
  private keep<S extends Subscription>(subscription: S): S {
    this.subscriptions.add(subscription);
    const stop = subscription.stop.bind(subscription);
    let stopped: Promise<void> | undefined;
    subscription.stop = (timeoutMs?: number) => {
      stopped ??= stop(timeoutMs).finally(() => this.subscriptions.delete(subscription));
      return stopped;
    };
    return subscription;
  }
}
