import { isDeepStrictEqual } from 'node:util';
import { INVOKER_LOST_AFTER_MS, type Grant, type Granter, type InvokerState } from '@openscf/contracts';
import { claimsOf, type Claims } from './claim.policy.js';
import { isPartOfAccount, type QuotaPool } from './quota-pools.policy.js';
import { shares, type Sharer } from './share.policy.js';

/** A grant outlives a scheduler that is away for two minutes, and is given up that long after an invoker is lost. */
export const GRANT_TTL_MS = 120_000;
/** How often a grant that stays as it is gets a new expiry. */
export const GRANT_RENEW_MS = 10_000;

export interface GrantPlanInput {
  readonly granter: Granter;
  readonly accountMb: number;
  readonly pools: readonly QuotaPool[];
  /** Provisioned instances for each invoker, by `functionKey`. */
  readonly placed: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly now: number;
  /** The newest heartbeat of each invoker; one that has left is not in it. */
  readonly invokers: ReadonlyMap<string, InvokerState>;
  readonly book: { get(invokerId: string): Grant | undefined; ids(): Iterable<string> };
  /** Write every grant again: the last attempt to publish has failed. */
  readonly renewAll?: boolean;
}

/**
 * The grants to publish now.
 *
 * Invariants, for any order of events:
 * 1. No pool's claims (`claimsOf`) grow beyond its quota, and the claims of all pools that are part of the account
 *    never exceed the account's total. So where a quota has shrunk, others grow as its claims are given up, not before.
 * 2. What an invoker may use by any grant it has ever seen is at most its claim. A grant that shrinks therefore carries the
 *    larger earlier claim (`earlier`) until the invoker goes by it or the earlier one has expired.
 * 3. The book and the heartbeats alone decide: a scheduler that reads the topics back goes on where the last one was.
 * 4. A lost invoker is not renewed; its claim ends when it expires.
 */
export function planGrants(input: GrantPlanInput): Grant[] {
  const { now, invokers, book, pools } = input;
  const live = [...invokers.values()].filter((invoker) => now - invoker.sentAt < INVOKER_LOST_AFTER_MS);
  const claims = allClaims(input);
  const parts = grow(targetParts(input, live, claims), claims, input);
  const grants: Grant[] = [];
  for (const invoker of live) {
    const current = book.get(invoker.invokerId);
    const next = nextGrant(invoker, parts, claims.get(invoker.invokerId) ?? new Map(), input);
    const isNew = current?.epoch !== invoker.epoch || input.renewAll === true;
    if (isNew || now - current.issuedAt >= GRANT_RENEW_MS || !isSame(current, next)) grants.push(next);
  }
  return pools.length === 0 ? [] : grants;
}

/** By invoker: what everyone that was ever granted anything may use. */
export function allClaims({
  book,
  invokers,
  now,
  pools,
}: Pick<GrantPlanInput, 'book' | 'invokers' | 'now' | 'pools'>): Map<string, Claims> {
  const runMs = new Map(pools.map((pool) => [pool.name, pool.runMs]));
  return new Map(
    [...new Set([...book.ids(), ...invokers.keys()])].map((invokerId) => [
      invokerId,
      claimsOf(book.get(invokerId), invokers.get(invokerId), now, (pool) => runMs.get(pool) ?? 0),
    ]),
  );
}

/** MB by invoker and pool. */
type Parts = Map<string, Map<string, number>>;

function targetParts(
  input: GrantPlanInput,
  live: readonly InvokerState[],
  claims: Map<string, Claims>,
): Parts {
  const targets: Parts = new Map(live.map(({ invokerId }) => [invokerId, new Map()]));
  const set = (invokerId: string, pool: QuotaPool, mb: number) => targets.get(invokerId)?.set(pool.name, mb);
  for (const pool of input.pools) {
    const { provisioned } = pool;
    if (provisioned !== undefined) {
      for (const { invokerId } of live) {
        set(invokerId, pool, (input.placed.get(invokerId)?.[provisioned] ?? 0) * pool.unitMb);
      }
      continue;
    }
    let lostMb = 0;
    for (const [invokerId, each] of claims) {
      if (!targets.has(invokerId)) lostMb += each.get(pool.name)?.mb ?? 0;
    }
    const quotaMb = Math.max(0, pool.quotaMb - lostMb);
    const sharers = live.map((invoker) => sharer(invoker, pool, input));
    for (const [invokerId, mb] of shares(quotaMb, pool.unitMb, sharers)) set(invokerId, pool, mb);
  }
  return targets;
}

function sharer(invoker: InvokerState, pool: QuotaPool, input: GrantPlanInput): Sharer {
  const { invokerId, accepting, sentAt } = invoker;
  const use = invoker.quotas?.[pool.name];
  const grant = input.book.get(invokerId);
  const holds = grant?.epoch === invoker.epoch && input.now < grant.expiresAt;
  const usedMb = use?.usedMb ?? 0;
  return {
    invokerId,
    accepting,
    usedMb,
    peakMb: Math.max(usedMb, use?.peakMb ?? 0),
    wantedMb: Math.min(use?.wantedMb ?? 0, pool.totalMb),
    unitMb: Math.max(1, use?.unitMb ?? pool.unitMb),
    wantedSince: use?.wantedSince ?? 0,
    sentAt,
    heldMb: holds ? (grant.quotas[pool.name]?.mb ?? 0) : 0,
    capMb: Math.max(usedMb, invoker.memoryMb - usedElsewhereMb(invoker, pool, input)),
  };
}

/** Memory of the host that this pool cannot have: in use by calls on other pools, or kept by provisioned instances. */
function usedElsewhereMb(invoker: InvokerState, pool: QuotaPool, input: GrantPlanInput): number {
  const placed = input.placed.get(invoker.invokerId);
  let mb = 0;
  for (const { name, provisioned, unitMb } of input.pools) {
    if (provisioned !== undefined) mb += (placed?.[provisioned] ?? 0) * unitMb;
    else if (name !== pool.name && isPartOfAccount(name) && isPartOfAccount(pool.name)) {
      mb += invoker.quotas?.[name]?.usedMb ?? 0;
    }
  }
  return mb;
}

/** What may be granted of the targets now: beyond a claim only what nobody else claims. */
function grow(targets: Parts, claims: Map<string, Claims>, { pools, accountMb }: GrantPlanInput): Parts {
  const spareMb = new Map(pools.map(({ name, quotaMb }) => [name, quotaMb]));
  let accountSpareMb = accountMb;
  for (const each of claims.values()) {
    for (const [pool, { mb }] of each) {
      spareMb.set(pool, (spareMb.get(pool) ?? 0) - mb);
      if (isPartOfAccount(pool)) accountSpareMb -= mb;
    }
  }
  const wishes = pools.flatMap((pool) =>
    [...targets.keys()].map((invokerId) => ({
      pool,
      invokerId,
      claimMb: claims.get(invokerId)?.get(pool.name)?.mb ?? 0,
      targetMb: targets.get(invokerId)?.get(pool.name) ?? 0,
    })),
  );
  // Who has least comes first.
  wishes.sort((a, b) => a.claimMb - b.claimMb || (a.invokerId < b.invokerId ? -1 : 1));
  const parts: Parts = new Map([...targets.keys()].map((invokerId) => [invokerId, new Map()]));
  for (const { pool, invokerId, claimMb, targetMb } of wishes) {
    const inPoolMb = Math.max(0, spareMb.get(pool.name) ?? 0);
    const mostMb = isPartOfAccount(pool.name) ? Math.min(inPoolMb, Math.max(0, accountSpareMb)) : inPoolMb;
    let partMb = Math.min(targetMb, claimMb + mostMb);
    if (pool.provisioned !== undefined) partMb -= partMb % pool.unitMb;
    const grownMb = Math.max(0, partMb - claimMb);
    spareMb.set(pool.name, inPoolMb - grownMb);
    if (isPartOfAccount(pool.name)) accountSpareMb -= grownMb;
    parts.get(invokerId)?.set(pool.name, partMb);
  }
  return parts;
}

function nextGrant(invoker: InvokerState, parts: Parts, claims: Claims, input: GrantPlanInput): Grant {
  const { now, granter, book } = input;
  const { invokerId, epoch } = invoker;
  const provisioned = { ...input.placed.get(invokerId) };
  const quotas: Grant['quotas'] = {};
  for (const pool of input.pools) {
    const mb = parts.get(invokerId)?.get(pool.name) ?? 0;
    // Elsewhere a part of nothing says whose quota it is that is exceeded.
    if (mb === 0 && pool.provisioned !== undefined) continue;
    quotas[pool.name] = { mb, totalMb: pool.totalMb, runMs: pool.runMs };
  }
  const earlier: NonNullable<Grant['earlier']> = {};
  for (const [pool, { mb, until }] of claims) {
    if (mb > (quotas[pool]?.mb ?? 0)) earlier[pool] = { mb, until };
  }
  const issuedAt = Math.max(now, (book.get(invokerId)?.issuedAt ?? -1) + 1);
  const expiresAt = now + GRANT_TTL_MS;
  const grant = { invokerId, epoch, granter, quotas, provisioned, issuedAt, expiresAt };
  return Object.keys(earlier).length === 0 ? grant : { ...grant, earlier };
}

/** Both allow and ask for the same. */
function isSame(a: Grant, b: Grant): boolean {
  return isDeepStrictEqual([a.quotas, a.provisioned], [b.quotas, b.provisioned]);
}
