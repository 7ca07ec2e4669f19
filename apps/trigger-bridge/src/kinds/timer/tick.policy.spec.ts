import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueTicks, MISSED_COUNT_LIMIT, parseSchedule } from './tick.policy.js';

const at = (text: string): number => Date.parse(text);
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

describe('parseSchedule', () => {
  it.each([
    ['0 */5 * * * * *', '2026-11-22T10:01:00Z', '2026-11-22T10:05:00.000Z'],
    ['* * * * * * *', '2026-11-22T10:01:00.500Z', '2026-11-22T10:01:01.000Z'],
    ['0 0 9 * * MON-FRI *', '2026-11-20T10:00:00Z', '2026-11-23T09:00:00.000Z'],
    ['0 0 0 29 2 * *', '2026-11-22T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 30 8 1 JAN * 2030', '2026-11-22T00:00:00Z', '2030-01-01T08:30:00.000Z'],
    ['0 0 12 * * 0 *', '2026-11-22T13:00:00Z', '2026-11-29T12:00:00.000Z'],
  ])('%s after %s is %s', (cron, after, expected) => {
    expect(iso(parseSchedule(cron).next(at(after)))).toBe(expected);
  });

  it('takes day and week together as either', () => {
    const schedule = parseSchedule('0 0 0 1 * 3 *');
    // Wednesday the 25th, then Tuesday the 1st of December.
    const first = schedule.next(at('2026-11-22T00:00:00Z'));
    expect(iso(first)).toBe('2026-11-25T00:00:00.000Z');
    expect(iso(schedule.next(first ?? 0))).toBe('2026-12-01T00:00:00.000Z');
  });

  it('ends with its last year', () => {
    expect(parseSchedule('0 0 0 1 1 * 2020').next(at('2026-01-01T00:00:00Z'))).toBeUndefined();
  });
});

describe('dueTicks', () => {
  const everySecond = parseSchedule('* * * * * * *');
  const start = at('2026-11-22T10:00:00Z');

  it('fires nothing before the next tick', () => {
    expect(dueTicks(everySecond, start, start + 999, 60_000).fire).toEqual([]);
  });

  it('fires what was missed inside the window and counts the rest', () => {
    const due = dueTicks(everySecond, start, start + 100_000, 10_000);
    expect(due.fire).toHaveLength(11);
    expect(due.fire[0]).toBe(start + 90_000);
    expect(due.missed).toBe(89);
  });

  it('stops counting what a long outage missed', () => {
    expect(dueTicks(everySecond, start, start + 86_400_000, 10_000).missed).toBe(MISSED_COUNT_LIMIT);
  });

  it('loses and doubles no tick, however the clock is looked at', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 9_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(looks, fc.constantFrom('* * * * * * *', '*/3 * * * * * *'), (steps, cron) => {
        const schedule = parseSchedule(cron);
        const fired: number[] = [];
        let settledAt = start;
        let now = start;
        for (const step of steps) {
          now += step;
          const due = dueTicks(schedule, settledAt, now, 10_000);
          expect(due.missed).toBe(0);
          fired.push(...due.fire);
          settledAt = due.settledAt;
        }
        const period = cron.startsWith('*/3') ? 3_000 : 1_000;
        const expected = Array.from(
          { length: Math.floor((now - start) / period) },
          (_, i) => start + (i + 1) * period,
        );
        expect(fired).toEqual(expected);
      }),
    );
  });

  it('never goes back when the clock does', () => {
    expect(dueTicks(everySecond, start + 5_000, start, 10_000)).toEqual({
      fire: [],
      missed: 0,
      settledAt: start + 5_000,
    });
  });
});
