import { describe, expect, it } from 'vitest';
import { TableState } from './table-state.js';

interface Row {
  revision: number;
}

describe('TableState', () => {
  it('tells listeners key, value and previous, and nothing of a removal of what was not there', () => {
    const table = new TableState<Row>();
    const calls: unknown[] = [];
    const stop = table.onChange((...call) => calls.push(call));
    table.apply('a', { revision: 1 });
    table.apply('a', { revision: 2 });
    table.apply('a', undefined);
    table.apply('never', undefined);
    stop();
    table.apply('b', { revision: 1 });
    expect(calls).toEqual([
      ['a', { revision: 1 }, undefined],
      ['a', { revision: 2 }, { revision: 1 }],
      ['a', undefined, { revision: 2 }],
    ]);
  });

  it('waits for a revision at least as high, or for the removal', async () => {
    const table = new TableState<Row>();
    const second = table.waitFor({ key: 'a', revision: 2 }, 10_000);
    table.apply('a', { revision: 1 });
    table.apply('a', { revision: 3 });
    expect(await second).toBe(true);
    expect(await table.waitFor({ key: 'a', revision: 3 }, 0)).toBe(true);
    const gone = table.waitFor({ key: 'a', revision: null }, 10_000);
    table.apply('a', undefined);
    expect(await gone).toBe(true);
    expect(await table.waitFor({ key: 'never', revision: null }, 0)).toBe(true);
    expect(await table.waitFor({ key: 'a', revision: 1 }, 1)).toBe(false);
  });

  it('keeps its rows through a reset until everything was read again, then drops what has not come back', () => {
    const table = new TableState<Row>();
    table.apply('stays', { revision: 1 });
    table.apply('goes', { revision: 1 });
    table.beginReset();
    table.apply('stays', { revision: 2 });
    expect(table.size).toBe(2);
    table.endReset();
    expect([...table.entries()]).toEqual([['stays', { revision: 2 }]]);
  });
});
