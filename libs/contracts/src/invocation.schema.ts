import { z } from 'zod';
import { coldStartSchema } from './dispatch.schema.js';

/**
 * One attempt to run a function (topic `openscf.invocations`, key the request id), written when the attempt has ended.
 * `requestId` and `retryNum` together name it; a record that arrives twice is the same record.
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
  durationMs: z.number(),
  billedMs: z.number().int(),
  memoryBytes: z.number().int(),
  memoryMb: z.number().int(),
  statusCode: z.number().int(),
  /** The function's result or its error as JSON text, cut to 8 KB. */
  result: z.string(),
  coldStart: coldStartSchema.optional(),
  invokerId: z.string(),
  traceId: z.string().optional(),
});
export type InvocationRecord = z.infer<typeof invocationRecordSchema>;
