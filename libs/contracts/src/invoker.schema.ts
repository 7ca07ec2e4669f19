import { z } from 'zod';

/** What an invoker uses and wants of one quota pool, in MB of function memory. */
export const quotaUseSchema = z.object({
  /** In use now. */
  usedMb: z.number().int(),
  /** The most that was in use at once within the last seconds. */
  peakMb: z.number().int(),
  /** What was refused within the last seconds, and since when without a pause. */
  wantedMb: z.number().int().optional(),
  wantedSince: z.number().int().optional(),
  /** The largest function that was refused: a smaller increase is of no use. */
  unitMb: z.number().int().optional(),
  /** When the last of what runs now will have ended: time-outs are kept by the invoker. */
  runsUntil: z.number().int().optional(),
});
export type QuotaUse = z.infer<typeof quotaUseSchema>;

/**
 * An invoker's heartbeat (topic `openscf.invokers`, key the invoker's id), sent every 2 s and at once on a change.
 * A reader takes an invoker for lost when `sentAt` is older than `INVOKER_LOST_AFTER_MS`; a tombstone says that it has left.
 */
export const invokerStateSchema = z.object({
  invokerId: z.string(),
  /** Changes with every start of the process. */
  epoch: z.string(),
  /** Where the dispatch hop reaches it, `host:port`. */
  address: z.string(),
  /** The same by a unix socket, for callers that share its host (`hostId`) and can see the path. */
  local: z.object({ hostId: z.string(), path: z.string() }).optional(),
  /** False while it drains: it finishes what it has and takes nothing new. */
  accepting: z.boolean(),
  /** Memory for instances on this host, in MB, and what its instances hold of it. */
  memoryMb: z.number().int(),
  usedMemoryMb: z.number().int(),
  /** API names of the runtimes that it can start. */
  runtimes: z.array(z.string()),
  /** API names that are accepted and that it cannot start, with what is missing on this host. */
  missingRuntimes: z.record(z.string(), z.string()).default({}),
  /** Provisioned instances that are ready, by `functionKey` of the version. */
  provisioned: z.record(z.string(), z.number().int()).default({}),
  /**
   * `issuedAt` of the newest grant that it goes by: of no pool does it use more than `quotas` says now, or than that grant allows.
   * Absent without a grant.
   */
  grantIssuedAt: z.number().int().optional(),
  /** By pool: those in use or wanted. */
  quotas: z.record(z.string(), quotaUseSchema).optional(),
  sentAt: z.number().int(),
});
export type InvokerState = z.infer<typeof invokerStateSchema>;

export const INVOKER_HEARTBEAT_MS = 2_000;
export const INVOKER_LOST_AFTER_MS = 10_000;
