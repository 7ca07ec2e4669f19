import type { Grant, InvokerState } from '@openscf/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimedMb, CLOCK_SKEW_MS, GRANT_RENEW_MS, GRANT_TTL_MS, planGrants } from './grant.policy.js';

const QUOTA_MB = 1_000;

function invoker(invokerId: string, fields: Partial<InvokerState> = {}): InvokerState {
  return {
    invokerId,
    epoch: 'e1',
    address: '127.0.0.1:1',
    accepting: true,
    memoryMb: 10_000,
    usedMemoryMb: 0,
    runtimes: [],
    missingRuntimes: {},
    provisioned: {},
    sentAt: 0,
    ...fields,
  };
}

function byId<T extends { invokerId: string }>(...items: T[]): Map<string, T> {
  return new Map(items.map((item) => [item.invokerId, item]));
}

describe('planGrants', () => {
  it('gives one invoker what it can run, the whole quota at most', () => {
    const plan = (memoryMb: number) =>
      planGrants({ quotaMb: QUOTA_MB, now: 0, invokers: byId(invoker('a', { memoryMb })), book: new Map() });
    expect(plan(10_000)).toEqual([
      { invokerId: 'a', epoch: 'e1', concurrencyMb: 1_000, issuedAt: 0, expiresAt: GRANT_TTL_MS },
    ]);
    expect(plan(300)[0]?.concurrencyMb).toBe(300);
  });

  it('gives what a small host leaves to the others', () => {
    const invokers = byId(invoker('a', { memoryMb: 100 }), invoker('b'), invoker('c'));
    const grants = planGrants({ quotaMb: QUOTA_MB, now: 0, invokers, book: new Map() });
    expect(Object.fromEntries(grants.map((grant) => [grant.invokerId, grant.concurrencyMb]))).toEqual({
      a: 100,
      b: 450,
      c: 450,
    });
  });

  it('says nothing until a renewal is due', () => {
    const [first] = planGrants({ quotaMb: QUOTA_MB, now: 0, invokers: byId(invoker('a')), book: new Map() });
    const book = byId(first as Grant);
    const plan = (now: number) =>
      planGrants({ quotaMb: QUOTA_MB, now, invokers: byId(invoker('a', { sentAt: now })), book });
    expect(plan(GRANT_RENEW_MS - 1)).toEqual([]);
    expect(plan(GRANT_RENEW_MS)[0]?.expiresAt).toBe(GRANT_RENEW_MS + GRANT_TTL_MS);
  });

  it('lets a newcomer wait until the shrunk grant is kept to', () => {
    const [first] = planGrants({ quotaMb: QUOTA_MB, now: 0, invokers: byId(invoker('a')), book: new Map() });
    const shrunk = planGrants({
      quotaMb: QUOTA_MB,
      now: 1_000,
      invokers: byId(invoker('a'), invoker('b')),
      book: byId(first as Grant),
    });
    expect(shrunk.map((grant) => [grant.invokerId, grant.concurrencyMb])).toEqual([['a', 500]]);

    const kept = invoker('a', { grantIssuedAt: shrunk[0]?.issuedAt });
    const then = planGrants({
      quotaMb: QUOTA_MB,
      now: 2_000,
      invokers: byId(kept, invoker('b')),
      book: byId(shrunk[0] as Grant),
    });
    expect(then.map((grant) => [grant.invokerId, grant.concurrencyMb])).toEqual([['b', 500]]);
  });

  it('counts a lost invoker until its grant expires', () => {
    const [first] = planGrants({ quotaMb: QUOTA_MB, now: 0, invokers: byId(invoker('a')), book: new Map() });
    const plan = (now: number) =>
      planGrants({
        quotaMb: QUOTA_MB,
        now,
        invokers: byId(invoker('a', { sentAt: 0 }), invoker('b', { sentAt: now })),
        book: byId(first as Grant),
      });
    expect(plan(GRANT_TTL_MS)).toEqual([]);
    expect(plan(GRANT_TTL_MS + CLOCK_SKEW_MS).map((grant) => grant.invokerId)).toEqual(['b']);
  });

  it('grants at once to an invoker that was started again', () => {
    const [first] = planGrants({ quotaMb: QUOTA_MB, now: 0, invokers: byId(invoker('a')), book: new Map() });
    const again = planGrants({
      quotaMb: QUOTA_MB,
      now: 10,
      invokers: byId(invoker('a', { epoch: 'e2' })),
      book: byId(first as Grant),
    });
    expect(again[0]).toMatchObject({ epoch: 'e2', concurrencyMb: 1_000 });
  });
});

/** A host with its own view of the grants: it sees them late, or never. */
interface Host {
  invokerId: string;
  epoch: number;
  running: boolean;
  accepting: boolean;
  memoryMb: number;
  applied: Grant | undefined;
  /** What its calls hold now; never more than the grant allowed when they began. */
  busyMb: number;
}

type Step =
  | { kind: 'wait'; ms: number }
  | { kind: 'start' | 'kill' | 'leave' | 'drain' | 'deliver' | 'heartbeat'; host: number }
  | { kind: 'busy'; host: number; share: number }
  | { kind: 'plan'; publish: 'stored' | 'lost' | 'stored-but-unknown' }
  | { kind: 'restart-scheduler' };

const HOSTS = 4;
const host = fc.integer({ min: 0, max: HOSTS - 1 });
const publish = fc.constantFrom(
  'stored' as const,
  'stored' as const,
  'lost' as const,
  'stored-but-unknown' as const,
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 70_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start' as const), host }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill' as const, 'leave' as const, 'drain' as const),
      host,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constantFrom('deliver' as const, 'heartbeat' as const), host }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('busy' as const),
      host,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('plan' as const), publish }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart-scheduler' as const }) },
);

class World {
  now = 0;
  readonly hosts: Host[] = Array.from({ length: HOSTS }, (_, index) => ({
    invokerId: `i${index}`,
    epoch: 0,
    running: false,
    accepting: true,
    memoryMb: 200 + index * 400,
    applied: undefined,
    busyMb: 0,
  }));
  /** The two compacted topics. */
  readonly invokers = new Map<string, InvokerState>();
  readonly placements = new Map<string, Grant>();
  /** The scheduler's memory. */
  book = new Map<string, Grant>();
  renewAll = false;

  apply(step: Step): void {
    switch (step.kind) {
      case 'wait':
        this.now += step.ms;
        break;
      case 'plan':
        this.plan(step.publish);
        break;
      case 'restart-scheduler':
        this.book = new Map(this.placements);
        this.renewAll = false;
        break;
      default:
        this.applyToHost(step, this.hosts[step.host] as Host);
    }
    for (const each of this.hosts) each.busyMb = Math.min(each.busyMb, this.allowedMb(each));
  }

  private applyToHost(
    step: Exclude<Step, { kind: 'wait' | 'plan' | 'restart-scheduler' }>,
    target: Host,
  ): void {
    if (step.kind === 'start') {
      Object.assign(target, {
        epoch: target.epoch + 1,
        running: true,
        accepting: true,
        applied: undefined,
        busyMb: 0,
      });
      this.heartbeat(target);
    }
    if (!target.running) return;
    if (step.kind === 'kill' || step.kind === 'leave') {
      Object.assign(target, { running: false, busyMb: 0 });
      if (step.kind === 'leave') this.invokers.delete(target.invokerId);
    }
    if (step.kind === 'drain') target.accepting = false;
    if (step.kind === 'heartbeat') this.heartbeat(target);
    if (step.kind === 'deliver') {
      const grant = this.placements.get(target.invokerId);
      if (grant?.epoch === String(target.epoch)) target.applied = grant;
    }
    if (step.kind === 'busy') target.busyMb = Math.floor(this.allowedMb(target) * step.share);
  }

  allowedMb(target: Host): number {
    const { applied } = target;
    return target.running && applied !== undefined && this.now < applied.expiresAt
      ? applied.concurrencyMb
      : 0;
  }

  private heartbeat(target: Host): void {
    this.invokers.set(
      target.invokerId,
      invoker(target.invokerId, {
        epoch: String(target.epoch),
        accepting: target.accepting,
        memoryMb: target.memoryMb,
        usedMemoryMb: target.busyMb,
        sentAt: this.now,
        grantIssuedAt: target.applied?.issuedAt,
      }),
    );
  }

  private plan(publish: 'stored' | 'lost' | 'stored-but-unknown'): void {
    const { now, invokers, book, renewAll } = this;
    const grants = planGrants({ quotaMb: QUOTA_MB, now, invokers, book, renewAll });
    for (const grant of grants) {
      book.set(grant.invokerId, grant);
      if (publish !== 'lost') this.placements.set(grant.invokerId, grant);
    }
    this.renewAll = publish !== 'stored' && grants.length > 0;
  }
}

describe('the quota', { timeout: 60_000 }, () => {
  it('is never exceeded, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 160, size: 'max' }), (steps) => {
        const world = new World();
        for (const each of steps) {
          world.apply(each);
          const usable = world.hosts.reduce((sum, target) => sum + world.allowedMb(target), 0);
          expect(usable).toBeLessThanOrEqual(QUOTA_MB);
          const claimed = [...world.book.values()].reduce(
            (sum, grant) => sum + claimedMb(grant, world.invokers.get(grant.invokerId), world.now),
            0,
          );
          expect(claimed).toBeLessThanOrEqual(QUOTA_MB);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is fully used again when everything has settled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const each of steps) world.apply(each);
        world.apply({ kind: 'start', host: 3 });
        for (let round = 0; round < 40; round++) {
          for (let index = 0; index < HOSTS; index++) {
            world.apply({ kind: 'deliver', host: index });
            world.apply({ kind: 'heartbeat', host: index });
          }
          world.apply({ kind: 'plan', publish: 'stored' });
          world.apply({ kind: 'wait', ms: 5_000 });
        }
        const takers = world.hosts.filter((target) => target.running && target.accepting);
        const usable = takers.reduce((sum, target) => sum + world.allowedMb(target), 0);
        const wanted = Math.min(
          QUOTA_MB,
          takers.reduce((sum, target) => sum + target.memoryMb, 0),
        );
        expect(usable).toBeGreaterThanOrEqual(wanted - HOSTS);
      }),
      { numRuns: 100 },
    );
  });
});
