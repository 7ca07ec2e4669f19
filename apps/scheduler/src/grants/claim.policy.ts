import type { Grant, InvokerState } from '@openscf/contracts';

/** Clocks of two hosts may differ: what a grant allows counts this much longer than it says. */
export const CLOCK_SKEW_MS = 5_000;

/** The most that an invoker may use of a pool, in MB, and until when that counts. */
export interface Claim {
  readonly mb: number;
  /** Without the skew of clocks. */
  readonly until: number;
}

export type Claims = ReadonlyMap<string, Claim>;

/** How long a call on a pool may run, by what is deployed now. */
export type RunMs = (pool: string) => number;

/**
 * What an invoker may use by any grant that it has ever seen, by pool.
 *
 * 1. A grant counts until it expires and the last call that was begun by it has ended: the longest time-out of the pool, or
 *    what the invoker said of its running calls.
 * 2. From the moment that the invoker goes by a grant, its use of a pool only falls while it is over that grant: so the use
 *    that it told with or after it counts, and what earlier grants allowed does not.
 * 3. One that has left, or whose process was replaced, claims nothing by its old grants: its instances ended with it.
 */
export function claimsOf(
  grant: Grant | undefined,
  invoker: InvokerState | undefined,
  now: number,
  runMs: RunMs,
): Claims {
  const claims = new Map<string, Claim>();
  if (invoker === undefined) return claims;
  const add = (pool: string, mb: number, until: number): void => {
    const known = claims.get(pool);
    if (mb <= 0 || now >= until + CLOCK_SKEW_MS) return;
    claims.set(pool, { mb: Math.max(mb, known?.mb ?? 0), until: Math.max(until, known?.until ?? 0) });
  };
  const isItsOwn = grant?.epoch === invoker.epoch;
  const goesByIt = isItsOwn && (invoker.grantIssuedAt ?? -1) >= grant.issuedAt;
  const ends = (pool: string): number =>
    isItsOwn ? grant.expiresAt + Math.max(grant.quotas[pool]?.runMs ?? 0, runMs(pool)) : 0;

  if (isItsOwn) {
    for (const [pool, { mb }] of Object.entries(grant.quotas)) {
      add(pool, mb, Math.max(ends(pool), invoker.quotas?.[pool]?.runsUntil ?? 0));
    }
    if (!goesByIt) {
      for (const [pool, { mb, until }] of Object.entries(grant.earlier ?? {})) add(pool, mb, until);
    }
  }
  if (goesByIt || !isItsOwn) {
    for (const [pool, { usedMb, runsUntil }] of Object.entries(invoker.quotas ?? {})) {
      add(pool, usedMb, Math.max(ends(pool), runsUntil ?? 0));
    }
  }
  return claims;
}
