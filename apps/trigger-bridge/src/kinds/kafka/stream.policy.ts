import type { StreamOptions } from '@openscf/bus';
import type { CkafkaTrigger } from '@openscf/contracts';

/** Where a trigger reads: all that, when it changes, takes a new consumer. */
export type TriggerStream = Omit<StreamOptions, 'handle' | 'brokers' | 'bufferBytes'>;

/**
 * The stream of a trigger. Its consumer group belongs to the function and the trigger's name: it outlives an update, a restart
 * and a trigger that is deleted and made again, and ends with the function.
 */
export function streamOf(trigger: CkafkaTrigger): TriggerStream {
  return {
    topicName: trigger.topic,
    groupId: trigger.consumerGroup || `openscf-trigger-${trigger.functionId}-${trigger.triggerName}`,
    startAt: startOf(trigger),
    maxMessages: trigger.maxMessages,
    maxWaitMs: trigger.maxWaitMs,
  };
}

/**
 * `latest` is the moment when the trigger was made: what is produced while its consumer still joins the group counts.
 * Otherwise `earliest`, or milliseconds since the epoch.
 */
function startOf(trigger: CkafkaTrigger): 'earliest' | number {
  if (trigger.offset === 'latest') return trigger.createdAt;
  return trigger.offset === 'earliest' ? 'earliest' : Number(trigger.offset);
}
