import { z } from 'zod';

/**
 * An async event (topic `openscf.events`, key the request id). It is accepted once the record is stored with acks=all.
 * The event itself is JSON text of at most 128 KB; a larger one is refused before it gets here.
 */
export const asyncEventSchema = z.object({
  requestId: z.string(),
  namespace: z.string(),
  functionName: z.string(),
  qualifier: z.string(),
  source: z.string(),
  /** JSON text. */
  event: z.string(),
  acceptedAt: z.number().int(),
  appId: z.string(),
  uin: z.string(),
  /** How the event came to be, for people: trigger, topic and offset, bucket and key. Never secrets. */
  origin: z.record(z.string(), z.string()).default({}),
});
export type AsyncEvent = z.infer<typeof asyncEventSchema>;

export const attemptSchema = z.object({
  at: z.number().int(),
  statusCode: z.number().int(),
  message: z.string(),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** An event that will not be tried again (topic `openscf.events.dead`, key the request id), with why. */
export const deadEventSchema = z.object({
  event: asyncEventSchema,
  reason: z.enum(['retries-exhausted', 'too-old', 'function-not-found', 'refused']),
  attempts: z.array(attemptSchema),
  diedAt: z.number().int(),
});
export type DeadEvent = z.infer<typeof deadEventSchema>;
