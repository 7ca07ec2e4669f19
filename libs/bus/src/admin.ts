import { setTimeout as delay } from 'node:timers/promises';
import {
  commandTopic,
  topics as platformTopics,
  UNREADABLE_TOPIC,
  UnavailableError,
  type Topic,
} from '@openscf/contracts';
import type { Admin, ITopicConfig } from 'kafkajs';
import type { KafkaFactory } from './kafka.factory.js';

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: 'compact' | 'delete';
  readonly compactionLagMs?: number;
  readonly retentionMs?: number;
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

const SERVED_MS = 10_000;
const SERVED_POLL_MS = 50;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** The topics that are not in the list of the contracts: commands, and records that could not be read. */
const PLAIN_TOPICS: readonly TopicPlan[] = [
  { name: commandTopic('function-registry'), partitions: 4, cleanup: 'delete', retentionMs: HOUR_MS },
  { name: commandTopic('log'), partitions: 4, cleanup: 'delete', retentionMs: HOUR_MS },
  { name: UNREADABLE_TOPIC, partitions: 1, cleanup: 'delete', retentionMs: 30 * DAY_MS },
];

/** Everything that a service may meet: its own list, the platform's, and the plain ones. */
export function withPlatformTopics(topics: readonly Topic<unknown>[]): TopicPlan[] {
  const plans = new Map<string, TopicPlan>();
  for (const plan of [...PLAIN_TOPICS, ...Object.values(platformTopics), ...topics])
    plans.set(plan.name, plan);
  return [...plans.values()];
}

function configOf(plan: TopicPlan): ITopicConfig {
  const configEntries =
    plan.cleanup === 'compact'
      ? [
          { name: 'cleanup.policy', value: 'compact' },
          // Replaced records go within a minute or so of activity, so that a service that starts reads little.
          { name: 'min.cleanable.dirty.ratio', value: '0.1' },
          { name: 'segment.ms', value: String(10 * 60_000) },
          { name: 'min.compaction.lag.ms', value: String(plan.compactionLagMs ?? 0) },
        ]
      : [
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'retention.ms', value: String(plan.retentionMs ?? 7 * DAY_MS) },
        ];
  return { topic: plan.name, numPartitions: plan.partitions, configEntries };
}

/**
 * Waits until the brokers serve every partition: asking them for offsets is the proof. The client's own `waitForLeaders` fails on
 * KRaft, where a broker may not know a topic for a moment after its creation; and a request that meets partitions of which only
 * some are served is sent again as a whole, which would write records twice.
 */
async function untilServed(admin: Admin, plans: readonly TopicPlan[]): Promise<void> {
  const deadlineMs = Date.now() + SERVED_MS;
  const isServed = async (name: string): Promise<void> => {
    for (;;) {
      try {
        if ((await admin.fetchTopicOffsets(name)).length > 0) return;
      } catch (error) {
        if (Date.now() > deadlineMs) throw error;
      }
      await delay(SERVED_POLL_MS);
    }
  };
  // Topics made together are served together, or nearly: the largest is waited for, so that the others are not asked in vain.
  const [largest, ...others] = plans.toSorted((a, b) => b.partitions - a.partitions).map(({ name }) => name);
  if (largest !== undefined) await isServed(largest);
  await Promise.all(others.map(isServed));
}

async function offsetsOf(admin: Admin, topicName: string): Promise<PartitionOffsets[]> {
  const offsets = await admin.fetchTopicOffsets(topicName);
  return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
}

function unavailable(error: unknown): UnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UnavailableError(`Kafka is not available: ${reason}`, error);
}

/** Topics and offsets. Every call has its own short connection, so that an outage leaves nothing stale behind. */
export class BusAdmin {
  constructor(private readonly factory: KafkaFactory) {}

  /** Makes the topics that are missing. @throws UnavailableError */
  ensureTopics(plans: readonly TopicPlan[]): Promise<void> {
    return this.with(async (admin) => {
      const present = new Set(await admin.listTopics());
      const missing = plans.filter((plan) => !present.has(plan.name));
      if (missing.length === 0) return;
      // Answers false when another process was faster with one of them; the rest of the request is done all the same.
      await admin.createTopics({ topics: missing.map(configOf), waitForLeaders: false, timeout: 5_000 });
      await untilServed(admin, missing);
    });
  }

  topicExists(name: string): Promise<boolean> {
    return this.topicsExist([name]);
  }

  /** True when all of them do. */
  topicsExist(names: readonly string[]): Promise<boolean> {
    return this.with(async (admin) => {
      const present = new Set(await admin.listTopics());
      return names.every((name) => present.has(name));
    });
  }

  /** First and next offset of every partition. */
  offsets(topicName: string): Promise<PartitionOffsets[]> {
    return this.with((admin) => offsetsOf(admin, topicName));
  }

  /** The same for those of the topics that exist. */
  offsetsOfPresent(topicNames: readonly string[]): Promise<Map<string, PartitionOffsets[]>> {
    return this.with(async (admin) => {
      const present = new Set(await admin.listTopics());
      const names = topicNames.filter((name) => present.has(name));
      const offsets = await Promise.all(names.map((name) => offsetsOf(admin, name)));
      return new Map(names.map((name, index) => [name, offsets[index] ?? []]));
    });
  }

  /** Per partition the first offset whose record is not older; the end where there is none. */
  offsetsAt(topicName: string, epochMs: number): Promise<Map<number, number>> {
    return this.with(async (admin) => {
      const found = await admin.fetchTopicOffsetsByTimestamp(topicName, epochMs);
      return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
    });
  }

  /** What the group has committed; a partition without a commit is missing. */
  committed(groupId: string, topicNames: readonly string[]): Promise<Map<string, number>> {
    return this.with(async (admin) => {
      const byPartition = new Map<string, number>();
      for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topicNames] })) {
        for (const { partition, offset } of partitions) {
          if (Number(offset) >= 0) byPartition.set(`${topic}/${partition}`, Number(offset));
        }
      }
      return byPartition;
    });
  }

  private async with<T>(fn: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.factory.admin();
    try {
      await admin.connect();
      return await fn(admin);
    } catch (error) {
      throw unavailable(error);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }
}
