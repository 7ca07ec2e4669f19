import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import { ConsumerSupervisor } from './consumer-supervisor.js';
import type { KafkaFactory } from './kafka.factory.js';

export interface FollowOptions {
  readonly topic: string;
  /** Where to begin; a partition that is not named begins at 0. */
  readonly start: ReadonlyMap<number, number>;
  /** Shows in the broker's list of groups. */
  readonly purpose: string;
  readonly onRecord: (partition: number, record: KafkaMessage) => void;
  /** Called after the records of a fetch, with the next offset of the partition. */
  readonly onFetched?: (partition: number, next: number) => void;
  /** The topic was deleted and made again: what was read of it no longer counts. */
  readonly onReset?: (partition: number) => void;
}

/**
 * Reads a whole topic alone, in order, each record once, and never commits: its place is in memory. After a lost connection it goes on
 * where it was.
 */
export class FollowReader {
  private readonly next: Map<number, number>;
  private readonly supervisor: ConsumerSupervisor;
  private markConnected: () => void = () => undefined;
  /** Resolves at the first assignment: from then on nothing is missed. */
  readonly following = new Promise<void>((resolve) => {
    this.markConnected = resolve;
  });

  constructor(
    private readonly factory: KafkaFactory,
    admin: BusAdmin,
    private readonly options: FollowOptions,
  ) {
    this.next = new Map(options.start);
    const { topic, purpose } = options;
    this.supervisor = new ConsumerSupervisor(factory, {
      // A new group for every life: in the old one the broker would wait for the member that it still believes in.
      groupId: () => `${factory.clientId}.${purpose}.${randomUUID()}`,
      topics: [topic],
      topicsExist: () => admin.topicExists(topic),
      onJoined: ({ partitions }) => {
        for (const { partition } of partitions) {
          this.supervisor.seek(topic, partition, this.next.get(partition) ?? 0);
        }
        this.markConnected();
      },
      onBatch: (payload) => this.receive(payload),
    });
  }

  get connected(): boolean {
    return this.supervisor.connected;
  }

  /** The next offset that it will take. */
  position(partition: number): number {
    return this.next.get(partition) ?? 0;
  }

  stop(): Promise<void> {
    return this.supervisor.stop();
  }

  private receive({ batch, isStale }: EachBatchPayload): Promise<void> {
    if (isStale()) return Promise.resolve();
    const { partition } = batch;
    const first = Number(batch.firstOffset() ?? 0);
    let next = this.next.get(partition) ?? 0;
    if (first < next && Number(batch.highWatermark) < next) {
      this.factory.logger.warn(
        { topic: this.options.topic, partition },
        'topic was made again, reading it from its beginning',
      );
      this.options.onReset?.(partition);
      next = 0;
    }
    for (const record of batch.messages) {
      const offset = Number(record.offset);
      if (offset < next) continue;
      next = offset + 1;
      this.options.onRecord(partition, record);
    }
    next = Math.max(next, Number(batch.lastOffset()) + 1);
    this.next.set(partition, next);
    this.options.onFetched?.(partition, next);
    return Promise.resolve();
  }
}
