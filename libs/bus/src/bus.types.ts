import type { CommandReply, Command, Topic } from '@openscf/contracts';

/** A record that was read and has passed its topic's schema. */
export interface IncomingMessage<T> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly value: T;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, as the producer or the broker wrote it. */
  readonly timestampMs: number;
}

/** A record of a topic that is not ours: bytes as they are. */
export interface RawMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly timestampMs: number;
}

/** A record to write. A null value is a tombstone: it removes the key from a compacted topic. */
export interface OutgoingMessage<T> {
  readonly key: string | null;
  readonly value: T | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawOutgoingMessage {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string | Buffer>>;
}

/** Something that reads until it is stopped. */
export interface Subscription {
  /** Takes nothing new, waits at most `timeoutMs` for what is in flight, commits what is settled, disconnects. Never throws. */
  stop(timeoutMs?: number): Promise<void>;
  /** True while it is a member of its group and reads. */
  readonly connected: boolean;
}

export interface ConsumeOptions<T> {
  readonly topic: Topic<T>;
  readonly groupId: string;
  /** How many messages are handled at once, over all partitions. */
  readonly concurrency: number;
  /** `key`: messages of one key one after the other (default). `none`: in any order. */
  readonly order?: 'key' | 'none';
  /** How long settled offsets wait for company before they are committed; 1 s unless told. What is not committed comes again after a crash. */
  readonly commitDelayMs?: number;
  /** Resolves when the outcome is kept: only then the offset can be committed. A rejection is tried again with back-off. */
  readonly handle: (message: IncomingMessage<T>) => Promise<void>;
}

export interface ConsumeBatchesOptions<T> {
  readonly topic: Topic<T> | readonly Topic<T>[];
  readonly groupId: string;
  readonly maxBatch: number;
  /** How long the first message of a batch waits for company. */
  readonly maxWaitMs: number;
  /** One call at a time. A rejection is tried again with the same batch, with back-off. */
  readonly handle: (messages: IncomingMessage<T>[]) => Promise<void>;
}

export interface StreamOptions {
  /** Another Kafka than the platform's own. */
  readonly brokers?: readonly string[];
  readonly topicName: string;
  readonly groupId: string;
  /**
   * Where to begin when the group has no committed offset: the end or the beginning of the topic at the time of the call, or the
   * first record not older than a time (ms since the epoch). Partitions and topics that appear later are read from
   * their beginning. The start is committed at once, so that a restart keeps it.
   */
  readonly startAt: 'latest' | 'earliest' | number;
  readonly maxMessages: number;
  /** How long the first message of a batch waits for company. */
  readonly maxWaitMs: number;
  /** Bytes kept in memory per partition before reading pauses; 4 MB unless told. */
  readonly bufferBytes?: number;
  /** One call at a time per partition, in order. A rejection is tried again with the same batch, with back-off. */
  readonly handle: (batch: RawMessage[]) => Promise<void>;
}

export interface Stream extends Subscription {
  /** No further batch is handed over until `resume`; what is being handled goes on. */
  pause(): void;
  resume(): void;
}

export type TableListener<T> = (key: string, value: T | undefined, previous: T | undefined) => void;

/** The newest value of every key of a compacted topic, kept up to date for ever. */
export interface CompactedTable<T> {
  /** Resolves when everything written before the start has been read. Never rejects: it waits for Kafka. */
  readonly ready: Promise<void>;
  readonly isReady: boolean;
  readonly size: number;
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[string, T]>;
  /** Called after each change, also while the table is read for the first time. Returns how to stop listening. */
  onChange(listener: TableListener<T>): () => void;
  /**
   * Waits until the key's `revision` is at least the given one (null: until the key is gone).
   * @returns false when that has not come true within `timeoutMs`.
   */
  waitFor(written: { key: string; revision: number | null }, timeoutMs: number): Promise<boolean>;
}

export interface Requester {
  /** Resolves when replies can be received. */
  readonly ready: Promise<void>;
  /**
   * Sends a command and waits for its reply.
   * @throws UnavailableError when there is no reply within `timeoutMs` or Kafka is away.
   */
  request(
    service: 'function-registry' | 'log',
    action: string,
    command: Command,
    options: { timeoutMs: number },
  ): Promise<CommandReply>;
  /** Replies that came after their deadline, since the start. */
  readonly lateReplies: number;
}
