import { z } from 'zod';

const identity = {
  namespace: z.string(),
  functionName: z.string(),
  /** Changes when the function is deleted and made again, so that an old cursor is not taken for the new one's. */
  functionId: z.string(),
  triggerName: z.string(),
  /** Version or alias that the trigger calls. */
  qualifier: z.string(),
  enabled: z.boolean(),
  revision: z.number().int(),
  createdAt: z.number().int(),
  /** When it was last enabled again; absent when it never was disabled. */
  enabledAt: z.number().int().optional(),
};

/** Timer: a 7-field cron expression in UTC, and the text that becomes the event's `Message`. */
export const timerTriggerSchema = z.object({
  ...identity,
  type: z.literal('timer'),
  cron: z.string(),
  customArgument: z.string(),
});

/** Kafka: batches of a user's topic, in order per partition. */
export const ckafkaTriggerSchema = z.object({
  ...identity,
  type: z.literal('ckafka'),
  /** `ckafka-local` is the platform's own Kafka. */
  instanceId: z.string(),
  topic: z.string(),
  maxMessages: z.number().int(),
  maxWaitMs: z.number().int(),
  retries: z.number().int(),
  /** Where to begin without a committed offset: `latest`, `earliest`, or milliseconds since the epoch as text. */
  offset: z.string(),
  /** The user's name for the consumer group; empty for one made from the trigger. */
  consumerGroup: z.string(),
});

/** Object storage: changes in a bucket. */
export const cosTriggerSchema = z.object({
  ...identity,
  type: z.literal('cos'),
  /** The bucket's name in the object store, without appid and host. */
  bucket: z.string(),
  /** SCF's name of the event, for example `cos:ObjectCreated:*`. */
  event: z.string(),
  prefix: z.string(),
  suffix: z.string(),
});

/** HTTP: a function URL on the gateway. */
export const httpTriggerSchema = z.object({
  ...identity,
  type: z.literal('http'),
  /** What makes the URL this trigger's: `<appid>-<urlId>` is its host label and its path below `/url/`. */
  urlId: z.string(),
  authType: z.enum(['NONE', 'CAM']),
  cors: z
    .object({
      origins: z.array(z.string()),
      methods: z.array(z.string()),
      headers: z.array(z.string()),
      exposeHeaders: z.array(z.string()),
      maxAgeSeconds: z.number().int(),
      credentials: z.boolean(),
    })
    .optional(),
});

/** One trigger as the trigger-bridge and, for `http`, the gateway need it (topic `openscf.triggers`, key `triggerKey`). */
export const triggerStateSchema = z.discriminatedUnion('type', [
  timerTriggerSchema,
  ckafkaTriggerSchema,
  cosTriggerSchema,
  httpTriggerSchema,
]);
export type TimerTrigger = z.infer<typeof timerTriggerSchema>;
export type CkafkaTrigger = z.infer<typeof ckafkaTriggerSchema>;
export type CosTrigger = z.infer<typeof cosTriggerSchema>;
export type HttpTrigger = z.infer<typeof httpTriggerSchema>;
export type TriggerState = z.infer<typeof triggerStateSchema>;
