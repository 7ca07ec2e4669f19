import { beforeEach, describe, expect, it } from 'vitest';
import { OutputShare, type OutputBudget } from './output-share.js';

let now = 0;
let share: OutputShare;

beforeEach(() => {
  now = 0;
  share = new OutputShare(() => now);
});

/** What each spends that prints whenever it is not made to wait, in pieces of a millisecond, until this time. */
function flood(budgets: readonly OutputBudget[], untilMs: number): number[] {
  const spent = budgets.map(() => 0);
  for (; now < untilMs; now += 1)
    for (const [index, budget] of budgets.entries())
      if (budget.waitMs() === 0) {
        budget.spend(1);
        spent[index] = (spent[index] ?? 0) + 1;
      }
  return spent;
}

describe('the share of output', () => {
  it('lets one that prints alone take 50 ms at once, then a tenth of the time', () => {
    const [spent] = flood([share.open()], 10_000);
    expect(spent).toBeGreaterThan(1_040);
    expect(spent).toBeLessThan(1_060);
  });

  it('gives many that print without end no more than one together, each the same', () => {
    const spent = flood(
      Array.from({ length: 10 }, () => share.open()),
      10_000,
    );
    expect(spent.reduce((sum, ms) => sum + ms)).toBeLessThan(1_000 + 10 * 52);
    expect(Math.max(...spent) - Math.min(...spent)).toBeLessThanOrEqual(2);
  });

  it('says how long a debt takes, which is longer while others are paid too', () => {
    const [one, other] = [share.open(), share.open()];
    one.spend(60);
    expect(one.waitMs()).toBe(100);
    other.spend(60);
    expect(one.waitMs()).toBe(200);
    now += 100;
    expect(one.waitMs()).toBe(100);
    other.close();
    expect(one.waitMs()).toBe(50);
  });

  it('never makes wait who prints little, and leaves what it does not need to the others', () => {
    const [quiet, loud] = [share.open(), share.open()];
    let spent = 0;
    for (; now < 10_000; now += 1) {
      if (now % 1_000 === 0) quiet.spend(1);
      if (loud.waitMs() === 0) {
        loud.spend(1);
        spent += 1;
      }
      expect(quiet.waitMs()).toBe(0);
    }
    expect(spent).toBeGreaterThan(1_025);
  });
});
