import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concurrencyRecord, provisionedRecord } from '../../test/records.factory.js';
import type { ConcurrencyRecord } from './concurrency.types.js';
import { instancesNow, mostInstances, provisionedStatus } from './provisioned.policy.js';
import { provisionableMb, provisionedMbOf, requireProvisionable, requireReservable } from './quota.policy.js';

const account = { memoryMb: 128, quotaMb: 128_000 };
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('a reservation', () => {
  const own = concurrencyRecord();
  const other = (reservedMb: number) => concurrencyRecord({ functionId: 'lam-other', reservedMb });

  it('leaves 12,800 MB of the account unreserved', () => {
    expect(() => requireReservable(115_200, own, [own], account)).not.toThrow();
    expect(() => requireReservable(115_201, own, [own], account)).toThrow(
      refused('FailedOperation.ReservedExceedTotal'),
    );
    expect(() => requireReservable(15_201, own, [own, other(100_000)], account)).toThrow(
      /it must be at most 15200/,
    );
  });

  it('takes the place of the one before', () => {
    const before = concurrencyRecord({ reservedMb: 115_200 });
    expect(() => requireReservable(115_200, before, [before], account)).not.toThrow();
    expect(() => requireReservable(0, before, [before], account)).not.toThrow();
  });

  it('leaves what others have provisioned from what is unreserved', () => {
    const provisioned = [provisionedRecord({ instances: 200 })];
    const sharing = concurrencyRecord({ functionId: 'lam-other', provisioned });
    expect(() => requireReservable(102_400, own, [own, sharing], account)).not.toThrow();
    expect(() => requireReservable(102_401, own, [own, sharing], account)).toThrow(
      refused('FailedOperation.ReservedExceedTotal'),
    );
  });
});

describe('provisioned concurrency', () => {
  it('counts what a schedule or tracking can come to', () => {
    const schedule = [{ name: 'a', cron: '0 0 8 * * * *', instances: 9 }];
    const tracking = { target: 0.5, minInstances: 1, maxInstances: 7 };
    expect(mostInstances(provisionedRecord({ schedule }))).toBe(9);
    expect(mostInstances(provisionedRecord({ instances: 0, tracking }))).toBe(7);
  });

  it('fits into what the function has reserved, or what nobody has', () => {
    const provisioned = [provisionedRecord({ instances: 2 })];
    const reserved = concurrencyRecord({ reservedMb: 512, provisioned });
    expect(provisionableMb(reserved, [reserved], account.quotaMb)).toBe(256);
    const wanted = { instances: 3, memoryMb: 128 };
    expect(() => requireProvisionable(wanted, reserved, [reserved], account.quotaMb)).toThrow(
      refused('FailedOperation.ProvisionedExceedReserved'),
    );
    const free = concurrencyRecord({ functionId: 'lam-free' });
    expect(provisionableMb(free, [free, reserved], account.quotaMb)).toBe(127_488);
  });

  it('is what the schedule said last, after it was set', () => {
    const at = (text: string) => new Date(`2026-11-22T${text}Z`);
    const schedule = [
      { name: 'morning', cron: '0 0 8 * * * *', instances: 10 },
      { name: 'night', cron: '0 0 22 * * * *', instances: 1 },
    ];
    const record = provisionedRecord({ instances: 4, schedule, setAt: at('07:00:00').getTime() });
    expect(instancesNow(record, 0, at('07:59:59'))).toBe(4);
    expect(instancesNow(record, 0, at('08:00:01'))).toBe(10);
    expect(instancesNow(record, 0, at('22:00:01'))).toBe(1);
  });

  it('is what tracking has made of it, within its bounds', () => {
    const tracking = { target: 0.5, minInstances: 2, maxInstances: 7 };
    const record = provisionedRecord({ instances: 0, tracking });
    const now = new Date();
    expect([0, 5, 9].map((available) => instancesNow(record, available, now))).toEqual([2, 5, 7]);
  });

  it('says how far it is, and what is in the way', () => {
    expect(provisionedStatus(2, 2, undefined, 0).Status).toBe('Done');
    expect(provisionedStatus(0, 0, 'PHP is missing', 0).Status).toBe('Done');
    expect(provisionedStatus(2, 1, undefined, 1000)).toEqual({
      Status: 'InProgress',
      StatusReason: '1 of 2 instances are ready',
    });
    expect(provisionedStatus(2, 1, 'PHP is missing', 0)).toMatchObject({
      Status: 'Failed',
      StatusReason: expect.stringContaining('PHP is missing') as string,
    });
    expect(provisionedStatus(2, 1, undefined, 11 * 60_000)).toMatchObject({
      Status: 'Failed',
      StatusReason: expect.stringContaining('after 11 minutes') as string,
    });
  });
});

describe('the account', () => {
  const quotaMb = 6400;
  const change = fc.record({
    of: fc.integer({ min: 0, max: 3 }),
    what: fc.constantFrom('reserve', 'unreserve', 'provision', 'unprovision'),
    count: fc.integer({ min: 0, max: 60 }),
  });

  /** The record after a change that is accepted; undefined when it is refused. */
  function applied(
    own: ConcurrencyRecord,
    all: ConcurrencyRecord[],
    { what, count }: { what: string; count: number },
  ): ConcurrencyRecord | undefined {
    try {
      switch (what) {
        case 'reserve':
          requireReservable(count * 128, own, all, { memoryMb: 128, quotaMb });
          return { ...own, reservedMb: count * 128 };
        case 'unreserve':
          return { ...own, reservedMb: undefined };
        case 'provision': {
          requireProvisionable(
            { instances: count, memoryMb: 128 },
            { ...own, provisioned: [] },
            all,
            quotaMb,
          );
          return { ...own, provisioned: [provisionedRecord({ instances: count })] };
        }
        default:
          return { ...own, provisioned: [] };
      }
    } catch {
      return undefined;
    }
  }

  it('is never promised twice, whatever is asked for in whatever order', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const all = [0, 1, 2, 3].map((i) => concurrencyRecord({ functionId: `lam-${i}` }));
        for (const next of changes) {
          const own = all[next.of];
          const after = own && applied(own, all, next);
          if (after) all[next.of] = after;
          const reservedMb = all.reduce((sum, record) => sum + (record.reservedMb ?? 0), 0);
          const sharedMb = all
            .filter((record) => record.reservedMb === undefined)
            .reduce((sum, record) => sum + provisionedMbOf(record), 0);
          expect(reservedMb + sharedMb).toBeLessThanOrEqual(quotaMb);
          expect(reservedMb).toBeLessThanOrEqual(quotaMb - 640);
          for (const record of all) {
            if (record.reservedMb !== undefined)
              expect(provisionedMbOf(record)).toBeLessThanOrEqual(record.reservedMb);
          }
        }
      }),
    );
  });
});
