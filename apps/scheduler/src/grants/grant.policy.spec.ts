import type { Grant, InvokerState, QuotaUse } from '@openscf/contracts';
import { anInvokerState } from '@openscf/testing';
import { describe, expect, it } from 'vitest';
import { CLOCK_SKEW_MS } from './claim.policy.js';
import { GRANT_RENEW_MS, GRANT_TTL_MS, planGrants, type GrantPlanInput } from './grant.policy.js';
import type { QuotaPool } from './quota-pools.policy.js';

const granter = { id: 's', term: 1 };
const QUOTA_MB = 1_024;
const RUN_MS = 20_000;

function pool(name: string, quotaMb: number, changes: Partial<QuotaPool> = {}): QuotaPool {
  return { name, quotaMb, totalMb: quotaMb, unitMb: 128, runMs: RUN_MS, ...changes };
}

function invoker(invokerId: string, fields: Partial<InvokerState> = {}): InvokerState {
  return anInvokerState({ invokerId, epoch: 'e1', memoryMb: 10_000, sentAt: 0, ...fields });
}

const using = (usedMb: number, more: Partial<QuotaUse> = {}) => ({
  account: { usedMb, peakMb: usedMb, ...more },
});

/** A scheduler's memory: plans are noted in it. */
class Planner {
  readonly book = new Map<string, Grant>();

  plan(now: number, invokers: InvokerState[], input: Partial<GrantPlanInput> = {}): Grant[] {
    const grants = planGrants({
      granter,
      accountMb: QUOTA_MB,
      pools: [pool('account', QUOTA_MB)],
      placed: new Map(),
      now,
      invokers: new Map(invokers.map((each) => [each.invokerId, each])),
      book: { get: (id) => this.book.get(id), ids: () => this.book.keys() },
      ...input,
    });
    for (const grant of grants) this.book.set(grant.invokerId, grant);
    return grants;
  }
}

const mb = (grants: Grant[], name = 'account') =>
  Object.fromEntries(grants.map(({ invokerId, quotas }) => [invokerId, quotas[name]?.mb]));

describe('planGrants', () => {
  it('gives one invoker what it can run, the whole quota at most, and says whose quota it is', () => {
    expect(new Planner().plan(0, [invoker('a')])).toEqual([
      {
        invokerId: 'a',
        epoch: 'e1',
        granter,
        quotas: { account: { mb: 1_024, totalMb: 1_024, runMs: RUN_MS } },
        provisioned: {},
        issuedAt: 0,
        expiresAt: GRANT_TTL_MS,
      },
    ]);
    expect(mb(new Planner().plan(0, [invoker('a', { memoryMb: 300 })]))).toEqual({ a: 300 });
  });

  it('says nothing until a renewal is due', () => {
    const planner = new Planner();
    planner.plan(0, [invoker('a')]);
    const plan = (now: number) => planner.plan(now, [invoker('a', { sentAt: now })]);
    expect(plan(GRANT_RENEW_MS - 1)).toEqual([]);
    expect(plan(GRANT_RENEW_MS)[0]?.expiresAt).toBe(GRANT_RENEW_MS + GRANT_TTL_MS);
  });

  it('lets a newcomer throttle, but wait for its part until the shrunk grant is gone by', () => {
    const planner = new Planner();
    planner.plan(0, [invoker('a')]);
    expect(mb(planner.plan(1_000, [invoker('a'), invoker('b')]))).toEqual({ a: 512, b: 0 });
    // It goes by the smaller one, but more is running: that much is not free, and what has been used is not taken.
    const over = invoker('a', { grantIssuedAt: 1_000, quotas: using(768) });
    expect(mb(planner.plan(2_000, [over, invoker('b')]))).toEqual({ a: 896, b: 128 });
    const idle = invoker('a', { grantIssuedAt: 2_000, quotas: using(0) });
    const wanting = invoker('b', { quotas: using(128, { wantedMb: 300, unitMb: 256, wantedSince: 0 }) });
    expect(mb(planner.plan(3_000, [idle, wanting]))).toEqual({ a: 128 });
    const small = invoker('a', { grantIssuedAt: 3_000, quotas: using(0) });
    expect(mb(planner.plan(4_000, [small, wanting]))).toEqual({ b: 896 });
  });

  it('counts a lost invoker until its grant has expired and what it may have begun has ended', () => {
    const planner = new Planner();
    planner.plan(0, [invoker('a')]);
    const plan = (now: number, runsUntil = 0) =>
      mb(
        planner.plan(now, [
          invoker('a', { quotas: using(128, { runsUntil }) }),
          invoker('b', { sentAt: now }),
        ]),
      );
    const gone = GRANT_TTL_MS + RUN_MS + CLOCK_SKEW_MS;
    expect(plan(gone - 1)).toEqual({ b: 0 });
    expect(plan(gone, gone)).toEqual({});
    expect(plan(gone + CLOCK_SKEW_MS, gone)).toEqual({ b: 1_024 });
  });

  it('grants at once to an invoker that was started again', () => {
    const planner = new Planner();
    planner.plan(0, [invoker('a')]);
    const [again] = planner.plan(10, [invoker('a', { epoch: 'e2' })]);
    expect(again).toMatchObject({ epoch: 'e2', quotas: { account: { mb: 1_024 } } });
    expect(again).not.toHaveProperty('earlier');
  });

  it('lets a reservation grow as the account shrinks, and not before', () => {
    const planner = new Planner();
    planner.plan(0, [invoker('a')]);
    const pools = [pool('function:n/f', 256), pool('account', 768)];
    const shrinks = planner.plan(1_000, [invoker('a', { grantIssuedAt: 0, quotas: using(1_024) })], {
      pools,
    });
    expect([mb(shrinks), mb(shrinks, 'function:n/f')]).toEqual([{ a: 768 }, { a: 0 }]);
    const next = () => {
      const grantIssuedAt = planner.book.get('a')?.issuedAt;
      return planner.plan(2_000, [invoker('a', { grantIssuedAt, quotas: using(896) })], { pools });
    };
    expect(mb(next(), 'function:n/f')).toEqual({ a: 128 });
  });

  it('places provisioned instances where it is told, and grants their memory there', () => {
    const planner = new Planner();
    const pools = [pool('provisioned:n/f/1', 384, { provisioned: 'n/f/1' }), pool('account', 640)];
    const placed = new Map([
      ['a', { 'n/f/1': 1 }],
      ['b', { 'n/f/1': 2 }],
    ]);
    const grants = planner.plan(0, [invoker('a'), invoker('b')], { pools, placed });
    expect(mb(grants, 'provisioned:n/f/1')).toEqual({ a: 128, b: 256 });
    expect(grants.map(({ provisioned }) => provisioned['n/f/1'])).toEqual([1, 2]);
  });
});
