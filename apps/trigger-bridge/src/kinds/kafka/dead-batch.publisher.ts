import { topics, type Attempt, type CkafkaTrigger, type DeadEvent } from '@openscf/contracts';
import { asyncEventOf, type Account } from '../../publishing/async-event.factory.js';
import { requestIdFrom } from '../../publishing/request-id.policy.js';
import type { EventBus } from '../../publishing/event-bus.types.js';
import { eventsOf, type EventChunk, type TopicRecord } from './kafka-event.policy.js';

/** Below the megabyte that Kafka takes by default, with room for the JSON text inside JSON text and the attempts. */
const MAX_DEAD_EVENT_BYTES = 384 * 1024;

/** Stores what a trigger has given up (topic `openscf.events.dead`), so that its offsets may be committed. */
export class DeadBatchPublisher {
  constructor(
    private readonly bus: EventBus,
    private readonly account: Account,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Resolves when all is stored. A batch that is too large for one record of Kafka becomes several dead events, each with
   * its own request id and the batch's as origin.
   */
  async publish(
    trigger: CkafkaTrigger,
    requestId: string,
    records: readonly TopicRecord[],
    reason: DeadEvent['reason'],
    attempts: Attempt[],
  ): Promise<void> {
    const chunks = eventsOf(records, MAX_DEAD_EVENT_BYTES);
    for (const [index, chunk] of chunks.entries()) {
      const id = chunks.length === 1 ? requestId : requestIdFrom(requestId, String(index));
      const value = this.deadEvent(trigger, id, requestId, chunk, reason, attempts);
      await this.bus.publish(topics.deadEvents, [{ key: id, value }]);
    }
  }

  private deadEvent(
    trigger: CkafkaTrigger,
    requestId: string,
    batchRequestId: string,
    chunk: EventChunk,
    reason: DeadEvent['reason'],
    attempts: Attempt[],
  ): DeadEvent {
    const first = chunk.records[0];
    const last = chunk.records.at(-1);
    const origin = {
      batchRequestId,
      topic: first?.topic ?? trigger.topic,
      partition: String(first?.partition ?? ''),
      firstOffset: first?.offset ?? '',
      lastOffset: last?.offset ?? '',
    };
    const event: unknown = JSON.parse(chunk.body.toString());
    const diedAt = this.now();
    return {
      event: asyncEventOf(trigger, this.account, { requestId, event, origin, acceptedAt: diedAt }),
      reason,
      attempts,
      diedAt,
    };
  }
}
