import type { Topic } from '@openscf/contracts';

/** What the triggers use of the bus: resolves when every record is stored (acks=all), rejects otherwise. */
export interface EventBus {
  publish<T>(topic: Topic<T>, messages: { key: string | null; value: T | null }[]): Promise<void>;
}
