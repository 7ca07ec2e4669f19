import { topics, type AsyncEvent, type Attempt, type DeadEvent } from '@openscf/contracts';
import type { Bus } from '@openscf/bus';

/** Writes events that will not be tried again to `openscf.events.dead`, where they wait for a person. */
export class DeadLetterPublisher {
  constructor(private readonly bus: Pick<Bus, 'publish'>) {}

  /** Resolves once the record is stored (acks=all). @throws UnavailableError when Kafka is away */
  async publish(event: AsyncEvent, reason: DeadEvent['reason'], attempts: readonly Attempt[]): Promise<void> {
    const dead: DeadEvent = { event, reason, attempts: [...attempts], diedAt: Date.now() };
    await this.bus.publish(topics.deadEvents, [{ key: event.requestId, value: dead }]);
  }
}
