import { UnavailableError } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { RowBatch } from './row-batch.service.js';

describe('RowBatch', () => {
  it('writes what comes together, and what came meanwhile, with one statement', async () => {
    const statements: number[][] = [];
    const batch = new RowBatch<number, number>(async (items) => {
      statements.push([...items]);
      await Promise.resolve();
      return items.map((item) => item * 2);
    });
    const first = [batch.add(1), batch.add(2)];
    await Promise.resolve();
    const second = [batch.add(3), batch.add(4)];
    expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8]);
    expect(statements).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('writes the others when one cannot be written', async () => {
    const batch = new RowBatch<number, number>((items) =>
      items.includes(2) ? Promise.reject(new Error('bad row')) : Promise.resolve(items),
    );
    const results = await Promise.allSettled([batch.add(1), batch.add(2), batch.add(3)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('gives the error of an absent database to every item, and goes on', async () => {
    let broken = true;
    const batch = new RowBatch<number, number>((items) =>
      broken ? Promise.reject(new UnavailableError('away')) : Promise.resolve(items),
    );
    const results = await Promise.allSettled([batch.add(1), batch.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(await batch.add(3)).toBe(3);
  });

  it('bounds a statement', async () => {
    const sizes: number[] = [];
    const batch = new RowBatch<number, number>((items) => {
      sizes.push(items.length);
      return Promise.resolve(items);
    });
    await Promise.all(Array.from({ length: 1_200 }, (_, index) => batch.add(index)));
    expect(sizes).toEqual([500, 500, 200]);
  });
});
