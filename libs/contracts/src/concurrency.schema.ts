import { z } from 'zod';

/** Started ahead for one published version. Instances, not MB: their memory is the version's. */
export const provisionedSchema = z.object({
  version: z.string(),
  /** What was asked for; scheduled actions and tracking change what holds now, not this. */
  instances: z.number().int(),
  /** At the time that the 7-field cron expression (UTC) tells, this many hold from then on. */
  schedule: z.array(z.object({ name: z.string(), cron: z.string(), instances: z.number().int() })),
  /** Keeps the share of busy instances near `target` (0 to 1), within bounds. */
  tracking: z
    .object({ target: z.number(), minInstances: z.number().int(), maxInstances: z.number().int() })
    .optional(),
  /** When it was asked for: a schedule's times before that do not count. Absent: every time that has passed counts. */
  setAt: z.number().int().optional(),
});
export type Provisioned = z.infer<typeof provisionedSchema>;

/**
 * What a function was given of the account's concurrency (topic `openscf.concurrency`, key `namespace/functionName`). Apart from the
 * function's own state, so that changing it replaces no instance. Without a record a function shares what is unreserved.
 */
export const concurrencyStateSchema = z.object({
  namespace: z.string(),
  functionName: z.string(),
  functionId: z.string(),
  revision: z.number().int(),
  /** Guaranteed and the most, in MB; 0 stops the function. Absent: unreserved. */
  reservedMb: z.number().int().optional(),
  provisioned: z.array(provisionedSchema),
});
export type ConcurrencyState = z.infer<typeof concurrencyStateSchema>;
