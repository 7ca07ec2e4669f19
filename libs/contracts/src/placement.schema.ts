import { z } from 'zod';

/**
 * Names of quota pools. A busy instance holds its function's memory of one pool, or of `account` and its namespace's together.
 * - `account`: what nobody has reserved.
 * - `namespace:<ns>`: the most for functions of the namespace without a reservation; only where the operator has set one.
 * - `function:<ns>/<name>`: a function's reservation, for it alone; without what is provisioned for its versions.
 * - `provisioned:<functionKey>`: one version's provisioned instances, taken from first.
 */
export const quotaPool = {
  account: 'account',
  namespace: (namespace: string) => `namespace:${namespace}`,
  function: (name: { namespace: string; functionName: string }) =>
    `function:${name.namespace}/${name.functionName}`,
  provisioned: (functionKey: string) => `provisioned:${functionKey}`,
} as const;

/** Besides its time-outs a call takes the time until an instance starts, and until one that is over its time has ended. */
const RUN_SLACK_MS = 30_000;

/** The longest that a call of the function holds its concurrency, from when it is let in. */
export function longestRunMs({
  initTimeoutMs,
  timeoutMs,
}: {
  initTimeoutMs: number;
  timeoutMs: number;
}): number {
  return initTimeoutMs + timeoutMs + RUN_SLACK_MS;
}

/** The scheduler that grants. Each take-over has a term of its own, one higher than any before. */
export const granterSchema = z.object({ id: z.string(), term: z.number().int() });
export type Granter = z.infer<typeof granterSchema>;

/** Key of the record in `openscf.placements` that says who grants from then on. It looks like a grant of nothing to nobody. */
export const GRANTER_KEY = 'openscf.granter';

/** An invoker's part of one pool. */
export const quotaGrantSchema = z.object({
  /** What may be used here at once. */
  mb: z.number().int(),
  /** The quota that messages name: of the whole pool, or of the whole reservation. */
  totalMb: z.number().int(),
  /** How long a call that begins now may run, at most: a lost invoker's part counts so much longer than its grant. */
  runMs: z.number().int(),
});
export type QuotaGrant = z.infer<typeof quotaGrantSchema>;

/**
 * What an invoker may use of each quota pool until the grant expires (topic `openscf.placements`, key the invoker's id).
 * The sum over invokers never exceeds a pool's quota. Concurrency is counted as SCF counts it, in MB of function memory.
 * A grant counts only when its granter is the newest one before it in the topic: see `GrantFence`.
 */
export const grantSchema = z.object({
  invokerId: z.string(),
  /** The epoch of the invoker's process that the grant is for. */
  epoch: z.string(),
  granter: granterSchema,
  quotas: z.record(z.string(), quotaGrantSchema),
  /** Instances to keep started ahead, by `functionKey`. */
  provisioned: z.record(z.string(), z.number().int()),
  issuedAt: z.number().int(),
  expiresAt: z.number().int(),
  /**
   * The scheduler's own note: the most that earlier grants of this epoch still allow, by pool, and until when. It counts until
   * the invoker says in its heartbeat (`grantIssuedAt`) that it goes by this one.
   */
  earlier: z.record(z.string(), z.object({ mb: z.number().int(), until: z.number().int() })).optional(),
});
export type Grant = z.infer<typeof grantSchema>;
