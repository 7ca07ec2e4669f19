import { z } from 'zod';

/** Kinds of frames on the dispatch hop (gateway or scheduler to invoker). A stream id is one call. */
export const dispatchFrame = { call: 1, outcome: 2, cancel: 3 } as const;

/** Head of a `call` frame; the body is the event (JSON bytes, as the caller sent it). */
export const invokeCallSchema = z.object({
  requestId: z.string(),
  functionKey: z.string(),
  /** The revision that the sender's table holds; an invoker whose table is behind waits for it. */
  revision: z.number().int(),
  invocationType: z.enum(['RequestResponse', 'Event']),
  /** 0 for the first attempt. */
  retryNum: z.number().int(),
  /** Who caused it, for records: `cloud-api`, `timer`, `cos`, `ckafka`. */
  source: z.string(),
  /** What the caller named: a version or an alias. */
  qualifier: z.string(),
  /** Ask for the last 4 KB of the log with the outcome. */
  logTail: z.boolean(),
  traceparent: z.string().optional(),
});
export type InvokeCall = z.infer<typeof invokeCallSchema>;

/** Where the time of a cold start went, in ms. */
export const coldStartSchema = z.object({
  totalMs: z.number(),
  pullCodeMs: z.number(),
  initRuntimeMs: z.number(),
  initFunctionMs: z.number(),
});
export type ColdStart = z.infer<typeof coldStartSchema>;

const usage = {
  durationMs: z.number(),
  billedMs: z.number().int(),
  memoryBytes: z.number().int(),
  log: z.string().default(''),
  coldStart: coldStartSchema.optional(),
};

/**
 * Head of an `outcome` frame.
 * - `succeeded`: the body is the result (JSON bytes).
 * - `failed`: the function's fault; the body is SCF's error JSON; `message` is the text of ErrMsg and the log.
 * - `throttled`: no grant for another instance here; another invoker may have one (432 when none has).
 * - `refused`: not started for a reason of the platform; may be tried elsewhere when `retryable`.
 */
export const invokeOutcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('succeeded'), statusCode: z.literal(200), ...usage }),
  z.object({ kind: z.literal('failed'), statusCode: z.number().int(), message: z.string(), ...usage }),
  z.object({ kind: z.literal('throttled'), statusCode: z.literal(432), message: z.string() }),
  z.object({
    kind: z.literal('refused'),
    statusCode: z.number().int(),
    message: z.string(),
    retryable: z.boolean(),
  }),
]);
export type InvokeOutcome = z.infer<typeof invokeOutcomeSchema>;
