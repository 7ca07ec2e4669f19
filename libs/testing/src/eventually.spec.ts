import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';

describe('eventually', () => {
  it('returns the first truthy value', async () => {
    let calls = 0;
    await expect(eventually(() => (calls += 1) > 2 && 'done', { intervalMs: 1 })).resolves.toBe('done');
    expect(calls).toBe(3);
  });

  it('takes an error for "not yet"', async () => {
    let calls = 0;
    const condition = (): number => {
      calls += 1;
      if (calls < 2) throw new Error('early');
      return calls;
    };
    await expect(eventually(condition, { intervalMs: 1 })).resolves.toBe(2);
  });

  it('tells the last value or error when it gives up', async () => {
    await expect(eventually(() => 0, { timeoutMs: 5, intervalMs: 1 })).rejects.toThrow('last value: 0');
    const failing = (): never => {
      throw new Error('still broken');
    };
    await expect(eventually(failing, { timeoutMs: 5, intervalMs: 1 })).rejects.toThrow('still broken');
  });
});
