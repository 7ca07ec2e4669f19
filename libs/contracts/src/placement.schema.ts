import { z } from 'zod';

/**
 * What an invoker may use of the account's quota until the grant expires (topic `openscf.placements`, key the invoker's id).
 * The sum of all unexpired grants never exceeds the quota. Concurrency is counted as SCF counts it, in MB of function memory.
 */
export const grantSchema = z.object({
  invokerId: z.string(),
  /** The epoch of the invoker's process that the grant is for. */
  epoch: z.string(),
  concurrencyMb: z.number().int(),
  issuedAt: z.number().int(),
  expiresAt: z.number().int(),
  /**
   * The scheduler's own note: the most that earlier grants of this epoch still allow, and until when. It counts until the
   * invoker says in its heartbeat (`grantIssuedAt`) that it keeps to this one.
   */
  earlier: z.object({ concurrencyMb: z.number().int(), expiresAt: z.number().int() }).optional(),
});
export type Grant = z.infer<typeof grantSchema>;
