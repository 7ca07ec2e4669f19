import type { Admin } from 'kafkajs';
import { kafka } from './platform.js';
import { until } from './until.js';

/** Where MinIO reports late but for certain, and who reads it. */
const DURABLE_TOPIC = 'openscf.object-events-durable';
const BRIDGE_GROUP = 'openscf.trigger-bridge.object-events';

/** The late report of the change (`bucket/key`) has come to Kafka, and the bridge is done with it. */
export async function untilBridgeHasRead(changed: string): Promise<void> {
  const seen = await reportOf(changed);
  await until(`the bridge has read the report of ${changed}`, () =>
    withAdmin(async (admin) => {
      const [read] = await admin.fetchOffsets({ groupId: BRIDGE_GROUP, topics: [DURABLE_TOPIC] });
      const partition = read?.partitions.find((each) => each.partition === seen.partition);
      return Number(partition?.offset ?? -1) > Number(seen.offset);
    }),
  );
}

async function reportOf(changed: string): Promise<{ partition: number; offset: string }> {
  const consumer = kafka().consumer({ groupId: `e2e-${changed}` });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: DURABLE_TOPIC, fromBeginning: true });
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no late report of ${changed}`)), 30_000);
      const eachMessage: NonNullable<Parameters<typeof consumer.run>[0]>['eachMessage'] = ({
        partition,
        message,
      }) => {
        const { Key } = JSON.parse(message.value?.toString() ?? '{}') as { Key?: string };
        if (decodeURIComponent(Key?.replaceAll('+', ' ') ?? '') === changed) {
          clearTimeout(timer);
          resolve({ partition, offset: message.offset });
        }
        return Promise.resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}

export function hasNoMembers(groupId: string): Promise<boolean> {
  return withAdmin(async (admin) => {
    const { groups } = await admin.describeGroups([groupId]);
    return groups.every((group) => group.members.length === 0);
  });
}

async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka().admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
