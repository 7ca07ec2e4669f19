import { z } from 'zod';
import { coldStartSchema } from './dispatch.schema.js';

/**
 * One attempt to run a function, written when the attempt has ended. `requestId` and `retryNum` together name it; a record that arrives
 * twice is the same record. SCF's own log lines (START, Response, Report and their like) are not written anywhere: they follow
 * from the record (`@openscf/scf-api`, log-text).
 */
export const invocationRecordSchema = z.object({
  requestId: z.string(),
  retryNum: z.number().int(),
  namespace: z.string(),
  functionName: z.string(),
  version: z.string(),
  qualifier: z.string(),
  appId: z.string(),
  source: z.string(),
  invocationType: z.enum(['RequestResponse', 'Event']),
  /** Milliseconds since the epoch. */
  startedAt: z.number().int(),
  /** From when the platform took the request until an invoker had it, and from there until an instance took it or began to boot for it. */
  queuedMs: z.number().default(0),
  placedMs: z.number().default(0),
  durationMs: z.number(),
  billedMs: z.number().int(),
  memoryBytes: z.number().int(),
  memoryMb: z.number().int(),
  statusCode: z.number().int(),
  /** The function's result or its error as JSON text, cut to 8 KB. */
  result: z.string(),
  /** Of the first attempt on an instance, with the memory that the instance used when it was ready. */
  coldStart: coldStartSchema.extend({ memoryBytes: z.number().int() }).optional(),
  /** Printed lines that were not kept, because the log was too long. */
  droppedLines: z.number().int(),
  /** How many lines of `openscf.log-lines` belong to it; they may arrive later. */
  printedLines: z.number().int(),
  invokerId: z.string(),
  traceId: z.string().optional(),
});
export type InvocationRecord = z.infer<typeof invocationRecordSchema>;

/** What topic `openscf.invocations` carries: attempts that ended at about the same time, so that they share a message's cost. */
export const invocationBatchSchema = z.array(invocationRecordSchema);
export type InvocationBatch = z.infer<typeof invocationBatchSchema>;
