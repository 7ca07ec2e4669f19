import type { Grant } from '@openscf/contracts';
import { aFunctionState, aGrant } from '@openscf/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { QuotaMeter } from './quota.meter.js';
import type { QuotaLease } from './quota.types.js';

const part = (mb: number, totalMb = mb) => ({ mb, totalMb, runMs: 1_000 });

describe('quota meter', () => {
  let grant: Grant | undefined;
  let now: number;
  let meter: QuotaMeter;
  const onNews = vi.fn();

  const hello = (memoryMb: number) => aFunctionState({ functionName: 'hello', memoryMb });
  const kind = (memoryMb: number) => meter.take(hello(memoryMb)).kind;
  const lease = (memoryMb: number, functionName = 'hello', version = '$LATEST'): QuotaLease => {
    const taken = meter.take(aFunctionState({ functionName, memoryMb, version }));
    if (taken.kind !== 'taken') throw new Error(taken.kind);
    return taken.lease;
  };
  const granted = (quotas: Grant['quotas'], changes: Partial<Grant> = {}) =>
    aGrant({ epoch: 'e', quotas, issuedAt: 900, expiresAt: 20_000, ...changes });

  beforeEach(() => {
    now = 1_000;
    onNews.mockReset();
    grant = granted({ account: part(256, 1_000) });
    meter = new QuotaMeter({ grant: () => grant, epoch: 'e', onNews, now: () => now });
  });

  it('lets the use grow to the grant and no further', () => {
    const first = lease(128);
    expect([kind(128), kind(64)]).toEqual(['taken', 'over']);
    first.give();
    first.give();
    expect(kind(64)).toBe('taken');
    expect(meter.usedMb('account')).toBe(192);
  });

  it('takes nothing without a grant, with one for another process, or with one that has expired', () => {
    now = 20_000;
    expect([kind(1), meter.hasGrant]).toEqual(['no-grant', false]);
    now = 1_000;
    grant = granted({ account: part(256) }, { epoch: 'earlier' });
    expect(kind(1)).toBe('no-grant');
    expect(meter.report()).toEqual({ quotas: {} });
    grant = undefined;
    expect(kind(1)).toBe('no-grant');
  });

  it('draws on the provisioned instances, then on the reservation, and never on both', () => {
    grant = granted({
      account: part(1_000),
      'namespace:default': part(1_000),
      'function:default/hello': part(128, 512),
      'provisioned:default/hello/3': part(128),
    });
    const leases = [lease(128, 'hello', '3'), lease(128, 'hello', '3')];
    expect(leases.map(({ pools }) => pools)).toEqual([
      ['provisioned:default/hello/3'],
      ['function:default/hello'],
    ]);
    expect(meter.take(hello(128))).toEqual({
      kind: 'over',
      message: 'Function [ hello ] concurrency exceeded reserved quota 512 MB',
    });
    leases[0]?.give();
    expect(lease(128, 'hello', '3').pools).toEqual(['provisioned:default/hello/3']);
    expect(meter.take(hello(128)).kind).toBe('over');
  });

  it('takes of account and namespace together, and says which of them is full', () => {
    grant = granted({ account: part(256, 1_000), 'namespace:default': part(128, 500) });
    expect(lease(128).pools).toEqual(['account', 'namespace:default']);
    expect(meter.take(hello(128))).toMatchObject({
      message: 'Function [ hello ] concurrency exceeded namespace [ default ] quota 500 MB',
    });
    grant = granted({ account: part(128, 1_000), 'namespace:default': part(256, 500) });
    expect(meter.take(hello(128))).toMatchObject({
      message: 'Function [ hello ] concurrency exceeded region unreserved quota 1000 MB',
    });
    expect([meter.usedMb('account'), meter.usedMb('namespace:default')]).toEqual([128, 128]);
  });

  it('gives back to the pools that it was taken of, whatever the grant says by then', () => {
    const held = lease(128);
    grant = granted({ account: part(256), 'function:default/hello': part(0) }, { issuedAt: 1_000 });
    held.give();
    expect(meter.usedMb('account')).toBe(0);
    expect(onNews).not.toHaveBeenCalled();
    expect(kind(128)).toBe('over');
  });

  it('reports use, the most of the last seconds, when it ends, and what was refused, with the grant it goes by', () => {
    const first = lease(128);
    lease(64);
    first.give();
    expect(kind(256)).toBe('over');
    expect(kind(512)).toBe('over');
    expect(meter.report()).toEqual({
      grantIssuedAt: 900,
      quotas: {
        account: {
          usedMb: 64,
          peakMb: 192,
          wantedMb: 768,
          unitMb: 512,
          wantedSince: 1_000,
          runsUntil: 1_000 + 65_000 + 3_000 + 30_000,
        },
      },
    });
    now = 6_000;
    expect(meter.report().quotas).toEqual({ account: { usedMb: 64, peakMb: 64, runsUntil: 99_000 } });
  });

  it('lets another call begin on what was taken, while the grant allows what is in use', () => {
    const held = lease(128);
    now = 5_000;
    expect(held.prolong()).toBe(true);
    expect(meter.report().quotas['account']?.runsUntil).toBe(5_000 + 98_000);
    grant = granted({ account: part(64) }, { issuedAt: 5_000 });
    expect(held.prolong()).toBe(false);
    grant = granted({ account: part(128) }, { issuedAt: 6_000 });
    expect(held.prolong()).toBe(true);
    now = 20_000;
    expect(held.prolong()).toBe(false);
  });

  it('keeps what stands ready while no scheduler is there', () => {
    grant = granted({}, { provisioned: { 'default/hello/1': 2 } });
    now = 30_000;
    expect([meter.hasGrant, meter.provisioned]).toEqual([false, { 'default/hello/1': 2 }]);
    grant = granted({}, { provisioned: { 'default/hello/1': 2 }, epoch: 'earlier' });
    expect(meter.provisioned).toEqual({});
  });

  it('tells at once when some of what is beyond the grant has ended', () => {
    const held = [lease(128), lease(128)];
    grant = granted({ account: part(128) }, { issuedAt: 1_000 });
    held[0]?.give();
    expect(onNews).toHaveBeenCalledTimes(1);
    held[1]?.give();
    expect(onNews).toHaveBeenCalledTimes(1);
  });

  it('forgets a pool that is not used, and tells of a refusal at once, not of each', () => {
    grant = granted({ account: part(0) });
    for (const memoryMb of [128, 128, 64, 256]) kind(memoryMb);
    expect(onNews).toHaveBeenCalledTimes(2);
    now = 9_000;
    expect(meter.report().quotas).toEqual({});
    kind(128);
    expect(onNews).toHaveBeenCalledTimes(3);
  });
});
