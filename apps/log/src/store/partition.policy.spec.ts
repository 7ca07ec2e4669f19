import { describe, expect, it } from 'vitest';
import { boundsOf, dayOf, daysAhead, daysOf, isOutdated, keptAt } from './partition.policy.js';

const now = Date.parse('2026-11-22T23:59:59.999Z');
const DAY_MS = 86_400_000;

describe('partitions', () => {
  it('are days in UTC', () => {
    expect(dayOf(now)).toBe('20261122');
    expect(boundsOf('20261231')).toEqual({
      from: '2026-12-31T00:00:00.000Z',
      to: '2027-01-01T00:00:00.000Z',
    });
  });

  it('are found for many times at once', () => {
    expect(daysOf([now, now - 1, now + 1, now - DAY_MS])).toEqual(['20261122', '20261123', '20261121']);
  });

  it('are made for the days around now', () => {
    expect(daysAhead(now)).toEqual(['20261121', '20261122', '20261123', '20261124']);
  });

  it('go when all of the day is older than the retention', () => {
    expect(isOutdated('20261115', 7, now)).toBe(false);
    expect(isOutdated('20261114', 7, now)).toBe(true);
  });
});

describe('keptAt', () => {
  it('keeps the time of a record', () => {
    expect(keptAt(now - 5, 7, now)).toBe(now - 5);
    expect(keptAt(now - 0.5, 7, now)).toBe(now - 1);
  });

  it('leaves out what is older than the retention, and what is no time', () => {
    expect(keptAt(now - 7 * DAY_MS - 1, 7, now)).toBeUndefined();
    expect(keptAt(Number.NaN, 7, now)).toBeUndefined();
  });

  it('brings a time of a wrong clock back to where partitions are', () => {
    expect(keptAt(1e18, 7, now)).toBe(now + 2 * DAY_MS);
  });
});
