import { z } from 'zod';

/** A line that a function printed. */
export const logLineSchema = z.object({
  /** Milliseconds since the epoch. */
  at: z.number(),
  text: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/** What one attempt printed, or a part of it when it is long. */
export const logLinesSchema = z.object({
  requestId: z.string(),
  retryNum: z.number().int(),
  namespace: z.string(),
  functionName: z.string(),
  version: z.string(),
  /** Position of the first line in what the attempt printed, from 0; with request id and retry number it names the line. */
  firstSeq: z.number().int(),
  lines: z.array(logLineSchema),
});
export type LogLines = z.infer<typeof logLinesSchema>;

/** What topic `openscf.log-lines` carries: lines of several attempts. An attempt that printed nothing has none. */
export const logBatchSchema = z.array(logLinesSchema);
export type LogBatch = z.infer<typeof logBatchSchema>;
