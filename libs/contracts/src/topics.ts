import type { z } from 'zod';
import { credentialStateSchema } from './credential.schema.js';
import { concurrencyStateSchema } from './concurrency.schema.js';
import { asyncEventSchema, deadEventSchema } from './event.schema.js';
import { functionStateSchema } from './function.schema.js';
import { invocationBatchSchema } from './invocation.schema.js';
import { invokerStateSchema } from './invoker.schema.js';
import { logBatchSchema } from './log-line.schema.js';
import { bucketNotificationSchema } from './object-event.schema.js';
import { grantSchema } from './placement.schema.js';
import { triggerStateSchema } from './trigger.schema.js';

/** A topic of the platform: its name, how Kafka keeps it, and the shape of its records (JSON). */
export interface Topic<T> {
  readonly name: string;
  readonly partitions: number;
  /** `compact`: the newest record of a key is kept for ever, a null value removes it. `delete`: kept for `retentionMs`. */
  readonly cleanup: 'compact' | 'delete';
  readonly retentionMs?: number;
  /** `compact`: for so long no record is removed, though another has replaced it; 0 unless told. */
  readonly compactionLagMs?: number;
  /** Version of the record's shape, sent in the header `schema-version`. */
  readonly version: number;
  readonly schema: z.ZodType<T>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function table<T>(name: string, schema: z.ZodType<T>): Topic<T> {
  return { name: `openscf.${name}`, partitions: 1, cleanup: 'compact', version: 1, schema };
}

function stream<T>(
  name: string,
  schema: z.ZodType<T>,
  partitions: number,
  retentionMs: number,
  version = 1,
): Topic<T> {
  return { name: `openscf.${name}`, partitions, cleanup: 'delete', retentionMs, version, schema };
}

/** Every topic of the platform but the command and reply topics, which carry their own envelope. */
export const topics = {
  functions: table('functions', functionStateSchema),
  concurrency: table('concurrency', concurrencyStateSchema),
  triggers: table('triggers', triggerStateSchema),
  credentials: table('credentials', credentialStateSchema),
  invokers: table('invokers', invokerStateSchema),
  // What a grant means depends on the granter's record before it: both stay for longer than a grant can count.
  placements: { ...table('placements', grantSchema), compactionLagMs: HOUR_MS },
  events: stream('events', asyncEventSchema, 12, 7 * DAY_MS),
  deadEvents: stream('events.dead', deadEventSchema, 1, 30 * DAY_MS),
  objectEvents: stream('object-events', bucketNotificationSchema, 4, 7 * DAY_MS),
  durableObjectEvents: stream('object-events-durable', bucketNotificationSchema, 4, 7 * DAY_MS),
  // A message is a batch, so partitions cost no call anything; four let as many log services share the work.
  invocations: stream('invocations', invocationBatchSchema, 4, 7 * DAY_MS, 2),
  logLines: stream('log-lines', logBatchSchema, 4, 7 * DAY_MS, 2),
} as const;

/** Commands and queries to a service; the pattern (an action's name) is in a header. */
export function commandTopic(service: 'function-registry' | 'log'): string {
  return `openscf.commands.${service}`;
}

/** The replies to one requester. It alone reads them. */
export function replyTopic(requesterId: string): string {
  return `openscf.replies.${requesterId}`;
}

/** Records that could not be read, with the reason in the headers. */
export const UNREADABLE_TOPIC = 'openscf.unreadable';
export const REPLY_RETENTION_MS = HOUR_MS;
