import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import { ConsumerSupervisor } from './consumer-supervisor.js';
import type { KafkaFactory } from './kafka.factory.js';

/** One topic of those that are followed together. */
export interface FollowedTopic {
  readonly name: string;
  /** Where to begin; a partition that is not named begins at 0. */
  readonly start: ReadonlyMap<number, number>;
  readonly onRecord: (partition: number, record: KafkaMessage) => void;
  /** Called after the records of a fetch, with the next offset of the partition. */
  readonly onFetched?: (partition: number, next: number) => void;
  /** The topic was deleted and made again: what was read of it no longer counts. */
  readonly onReset?: (partition: number) => void;
}

interface Place {
  readonly topic: FollowedTopic;
  readonly next: Map<number, number>;
}

/**
 * Reads whole topics alone, each partition in order, each record once, and never commits: its places are in memory. After a lost
 * connection it goes on where it was.
 */
export class FollowReader {
  private readonly places: ReadonlyMap<string, Place>;
  private readonly supervisor: ConsumerSupervisor;
  private markConnected: () => void = () => undefined;
  /** Resolves at the first assignment: from then on nothing is missed. */
  readonly following = new Promise<void>((resolve) => {
    this.markConnected = resolve;
  });

  /** @param purpose shows in the broker's list of groups */
  constructor(
    private readonly factory: KafkaFactory,
    admin: BusAdmin,
    purpose: string,
    /** They are there: their starts come from their offsets. */
    topics: readonly FollowedTopic[],
  ) {
    this.places = new Map(topics.map((topic) => [topic.name, { topic, next: new Map(topic.start) }]));
    const names = [...this.places.keys()];
    let isFirstLife = true;
    this.supervisor = new ConsumerSupervisor(factory, {
      // A new group for every life: in the old one the broker would wait for the member that it still believes in.
      groupId: () => `${factory.clientId}.${purpose}.${randomUUID()}`,
      sharesGroup: false,
      topics: names,
      topicsExist: () => {
        if (!isFirstLife) return admin.topicsExist(names);
        isFirstLife = false;
        return Promise.resolve(true);
      },
      onJoined: ({ partitions }) => {
        for (const { topic, partition } of partitions) {
          this.supervisor.seek(topic, partition, this.position(topic, partition));
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
  position(topic: string, partition: number): number {
    return this.places.get(topic)?.next.get(partition) ?? 0;
  }

  stop(): Promise<void> {
    return this.supervisor.stop();
  }

  private receive({ batch, isStale }: EachBatchPayload): Promise<void> {
    const place = this.places.get(batch.topic);
    if (isStale() || place === undefined) return Promise.resolve();
    const { topic } = place;
    const { partition } = batch;
    const first = Number(batch.firstOffset() ?? 0);
    let next = place.next.get(partition) ?? 0;
    if (first < next && Number(batch.highWatermark) < next) {
      this.factory.logger.warn(
        { topic: topic.name, partition },
        'topic was made again, reading it from its beginning',
      );
      topic.onReset?.(partition);
      next = 0;
    }
    for (const record of batch.messages) {
      const offset = Number(record.offset);
      if (offset < next) continue;
      next = offset + 1;
      topic.onRecord(partition, record);
    }
    next = Math.max(next, Number(batch.lastOffset()) + 1);
    place.next.set(partition, next);
    topic.onFetched?.(partition, next);
    return Promise.resolve();
  }
}
