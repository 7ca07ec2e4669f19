import { z } from 'zod';

/**
 * Kinds of frames on the dispatch hop (gateway or scheduler to invoker). A stream id is one call.
 *
 * A call of an event function is `call`, then `outcome`. A request of a web function streams both ways: `call` (with `web` in its
 * head), `data` and `end` from the caller; `response`, `data` and `end` from the invoker, and `outcome` last with the usage. Without a
 * `response` the outcome tells why. `window` lets the peer send so many bytes of `data` more; each side begins with `WEB_WINDOW_BYTES`.
 *
 * `ping` (stream 0) is answered with `pong` at once: a caller asks so when nothing has come for a while, and takes an invoker that
 * does not answer for lost.
 */
export const dispatchFrame = {
  call: 1,
  outcome: 2,
  cancel: 3,
  data: 4,
  end: 5,
  response: 6,
  window: 7,
  ping: 8,
  pong: 9,
} as const;

/** Bytes of `data` that each side of a web request may send before the first `window`. */
export const WEB_WINDOW_BYTES = 256 * 1024;

/** Header lines in their order, names as they were sent. */
export const headerLinesSchema = z.array(z.tuple([z.string(), z.string()]));

/** The head of an HTTP request for a web function, without hop-by-hop headers but `connection: upgrade` and `upgrade`. */
export const webRequestSchema = z.object({
  method: z.string(),
  /** Path and query as they were sent, as the function is to see them. */
  target: z.string(),
  headers: headerLinesSchema,
});
export type WebRequest = z.infer<typeof webRequestSchema>;

/** Head of a `response` frame. 101 turns the stream into a tunnel: `data` is what the connection carries. */
export const webResponseSchema = z.object({ status: z.number().int(), headers: headerLinesSchema });
export type WebResponse = z.infer<typeof webResponseSchema>;

/** Head of a `call` frame; the body is the event (JSON bytes, as the caller sent it). */
export const invokeCallSchema = z.object({
  requestId: z.string(),
  functionKey: z.string(),
  /** The revision that the sender's table holds; an invoker whose table is behind waits for it. */
  revision: z.number().int(),
  invocationType: z.enum(['RequestResponse', 'Event']),
  /** 0 for the first attempt. */
  retryNum: z.number().int(),
  /** Who caused it, for records: `cloud-api`, `http`, `timer`, `cos`, `ckafka`. */
  source: z.string(),
  /** What the caller named: a version or an alias. */
  qualifier: z.string(),
  /** Ask for the last 4 KB of the log with the outcome. */
  logTail: z.boolean(),
  traceparent: z.string().optional(),
  /** When the platform took the request or event from its sender, in ms since the epoch; the receipt counts from then. */
  acceptedAt: z.number().int().optional(),
  /** Only for web functions. */
  web: webRequestSchema.optional(),
});
export type InvokeCall = z.infer<typeof invokeCallSchema>;

/**
 * Why no warm instance served a call.
 * - `first`: this host had none of the revision, and none lately.
 * - `scale-out`: all were busy.
 * - `new-revision`: code or configuration have changed since the last one.
 * - `idle-end`: the last one was given up after its keep-alive.
 * - `evicted`: the last one made room for others.
 * - `replaced`: the last one timed out, crashed or ran out of memory.
 * - `provisioned`: started ahead, before anyone called.
 */
export const coldReasonSchema = z.enum([
  'first',
  'scale-out',
  'new-revision',
  'idle-end',
  'evicted',
  'replaced',
  'provisioned',
]);
export type ColdReason = z.infer<typeof coldReasonSchema>;

/** Where the time of a cold start went, in ms. */
export const coldStartSchema = z.object({
  reason: coldReasonSchema.default('first'),
  /** Taken from the warm pool: runtime and sandbox were there already. */
  pooled: z.boolean().default(false),
  totalMs: z.number(),
  /** Code, layers or image made ready on the host; 0 when they were. */
  pullCodeMs: z.number(),
  /** Until the sandbox ran, or a pooled one had code and limits. */
  sandboxMs: z.number().default(0),
  /** From there until the runtime was up. */
  initRuntimeMs: z.number(),
  initFunctionMs: z.number(),
});
export type ColdStart = z.infer<typeof coldStartSchema>;

const usage = {
  /** As in the record: until an invoker had the call, and from there until an instance took it or began to boot for it. */
  queuedMs: z.number().optional(),
  placedMs: z.number().optional(),
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
