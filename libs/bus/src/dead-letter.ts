import { UNREADABLE_TOPIC } from '@openscf/contracts';
import type { KafkaMessage } from 'kafkajs';
import type { Publisher } from './publisher.js';

/** Keeps a record that could not be read, byte by byte, with the reason and where it came from. @throws UnavailableError */
export async function keepUnreadable(
  publisher: Publisher,
  origin: { topic: string; partition: number; groupId: string },
  record: KafkaMessage,
  reason: string,
): Promise<void> {
  const headers = {
    reason: reason.slice(0, 1_000),
    'origin-topic': origin.topic,
    'origin-partition': String(origin.partition),
    'origin-offset': record.offset,
    'origin-group': origin.groupId,
  };
  await publisher.send(UNREADABLE_TOPIC, [{ key: record.key, value: record.value, headers }]);
}
