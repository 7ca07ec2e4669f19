import { z } from 'zod';

export const logLineSchema = z.object({
  /** Position in this attempt's log, from 0; with request id and retry number it names the line. */
  seq: z.number().int(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  level: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']),
  /** `Platform`: START, END, Report and their like. `Custom`: what the function printed. */
  type: z.enum(['Platform', 'Custom']),
  text: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/** Lines of one attempt (topic `openscf.log-lines`, key the request id). A long log comes in several records. */
export const logLinesSchema = z.object({
  requestId: z.string(),
  retryNum: z.number().int(),
  namespace: z.string(),
  functionName: z.string(),
  version: z.string(),
  lines: z.array(logLineSchema),
});
export type LogLines = z.infer<typeof logLinesSchema>;
