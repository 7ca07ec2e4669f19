import { INVOKER_LOST_AFTER_MS, type Grant, type InvokerState } from '@openscf/contracts';

/** A grant outlives a scheduler that is away for two minutes, and is given up that long after an invoker is lost. */
export const GRANT_TTL_MS = 120_000;
/** How often a grant that stays as it is gets a new expiry. */
export const GRANT_RENEW_MS = 10_000;
/** Clocks of two hosts may differ: a grant counts this much longer than it says. */
export const CLOCK_SKEW_MS = 5_000;

/** The newest grant of each invoker: what the topic `openscf.placements` holds, and nothing more. */
export type GrantBook = ReadonlyMap<string, Grant>;

export interface GrantPlanInput {
  quotaMb: number;
  now: number;
  /** The newest heartbeat of each invoker; one that has left is not in it. */
  invokers: ReadonlyMap<string, InvokerState>;
  book: GrantBook;
  /** Write every grant again: the last attempt to publish has failed. */
  renewAll?: boolean;
}

/**
 * The grants to publish now.
 *
 * Invariants, for any order of events:
 * 1. The sum of `claimedMb` over the book never exceeds the quota, before and after.
 * 2. What an invoker may use by any grant it has ever seen is at most its claim. A grant that shrinks therefore carries the
 *    larger earlier one (`earlier`) until the invoker keeps to it or the earlier one has expired.
 * 3. The book alone decides: a scheduler that reads the topic back goes on where the last one was.
 * 4. A lost invoker is not renewed; its claim ends when it expires. An invoker that has left, or whose process was
 *    replaced (another epoch), claims nothing: its instances ended with it.
 */
export function planGrants(input: GrantPlanInput): Grant[] {
  const { now, invokers, book } = input;
  const live = [...invokers.values()].filter((invoker) => now - invoker.sentAt < INVOKER_LOST_AFTER_MS);
  const targets = targetShares(live, input.quotaMb, book, now);
  const claims = new Map([...book.keys()].map((id) => [id, claimedMb(book.get(id), invokers.get(id), now)]));
  let spareMb = input.quotaMb - [...claims.values()].reduce((sum, claim) => sum + claim, 0);

  const grants: Grant[] = [];
  const neediestFirst = [...live].sort(
    (a, b) =>
      (claims.get(a.invokerId) ?? 0) - (claims.get(b.invokerId) ?? 0) || compare(a.invokerId, b.invokerId),
  );
  for (const invoker of neediestFirst) {
    const claimMb = claims.get(invoker.invokerId) ?? 0;
    const targetMb = targets.get(invoker.invokerId) ?? 0;
    const growthMb = Math.min(Math.max(0, targetMb - claimMb), spareMb);
    spareMb -= growthMb;
    const concurrencyMb = Math.min(targetMb, claimMb + growthMb);
    const current = book.get(invoker.invokerId);
    if (!isDue(current, invoker, concurrencyMb, input)) continue;
    grants.push(nextGrant(invoker, concurrencyMb, current, now));
  }
  return grants;
}

/** The most that the invoker may use by what it was granted, in MB. */
export function claimedMb(grant: Grant | undefined, invoker: InvokerState | undefined, now: number): number {
  if (grant === undefined || invoker === undefined || invoker.epoch !== grant.epoch) return 0;
  const currentMb = now < grant.expiresAt + CLOCK_SKEW_MS ? grant.concurrencyMb : 0;
  return Math.max(currentMb, earlierOf(grant, invoker, now)?.concurrencyMb ?? 0);
}

/**
 * Equal shares of the quota among the invokers that take calls, none more than its host's memory can run, what one
 * leaves going to the others. One that drains keeps what it uses.
 */
function targetShares(
  live: InvokerState[],
  quotaMb: number,
  book: GrantBook,
  now: number,
): Map<string, number> {
  const targets = new Map<string, number>();
  let leftMb = quotaMb;
  for (const invoker of live.filter((candidate) => !candidate.accepting)) {
    const keepsMb = Math.min(
      claimedMb(book.get(invoker.invokerId), invoker, now),
      invoker.usedMemoryMb,
      leftMb,
    );
    targets.set(invoker.invokerId, keepsMb);
    leftMb -= keepsMb;
  }
  const smallestFirst = live
    .filter((candidate) => candidate.accepting)
    .sort((a, b) => a.memoryMb - b.memoryMb || compare(a.invokerId, b.invokerId));
  smallestFirst.forEach((invoker, index) => {
    const shareMb = Math.floor(leftMb / (smallestFirst.length - index));
    const targetMb = Math.max(0, Math.min(shareMb, invoker.memoryMb));
    targets.set(invoker.invokerId, targetMb);
    leftMb -= targetMb;
  });
  return targets;
}

function isDue(
  current: Grant | undefined,
  invoker: InvokerState,
  concurrencyMb: number,
  input: GrantPlanInput,
): boolean {
  if (current === undefined || current.epoch !== invoker.epoch) return concurrencyMb > 0;
  if (current.concurrencyMb !== concurrencyMb || input.renewAll === true) return true;
  return concurrencyMb > 0 && input.now - current.issuedAt >= GRANT_RENEW_MS;
}

function nextGrant(
  invoker: InvokerState,
  concurrencyMb: number,
  current: Grant | undefined,
  now: number,
): Grant {
  const issuedAt = current === undefined ? now : Math.max(now, current.issuedAt + 1);
  const grant: Grant = {
    invokerId: invoker.invokerId,
    epoch: invoker.epoch,
    concurrencyMb,
    issuedAt,
    expiresAt: now + GRANT_TTL_MS,
  };
  if (current === undefined || current.epoch !== invoker.epoch) return grant;
  const larger = [
    earlierOf(current, invoker, now),
    current.concurrencyMb > concurrencyMb ? current : undefined,
  ].filter((candidate) => candidate !== undefined && candidate.concurrencyMb > concurrencyMb);
  if (larger.length === 0) return grant;
  const earlier = {
    concurrencyMb: Math.max(...larger.map((candidate) => candidate?.concurrencyMb ?? 0)),
    expiresAt: Math.max(...larger.map((candidate) => candidate?.expiresAt ?? 0)),
  };
  return { ...grant, earlier };
}

/** The note of a grant's earlier ones, while it counts. */
function earlierOf(grant: Grant, invoker: InvokerState, now: number): Grant['earlier'] {
  const keepsToIt = invoker.grantIssuedAt !== undefined && invoker.grantIssuedAt >= grant.issuedAt;
  const { earlier } = grant;
  return earlier !== undefined && !keepsToIt && now < earlier.expiresAt + CLOCK_SKEW_MS ? earlier : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
