import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Readiness } from './readiness.service.js';

describe('Readiness', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is ready when every check says so, and names those that do not', async () => {
    const readiness = new Readiness();
    expect(await readiness.report()).toEqual({ ready: true, checks: {} });
    readiness.add('kafka', () => true);
    readiness.add('database', () => Promise.resolve(false));
    readiness.add('broken', () => Promise.reject(new Error('no')));
    expect(await readiness.report()).toEqual({
      ready: false,
      checks: { kafka: true, database: false, broken: false },
    });
  });

  it('takes a check that hangs for a no', async () => {
    const readiness = new Readiness();
    readiness.add('hangs', () => new Promise(() => undefined));
    const report = readiness.report();
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await report).ready).toBe(false);
  });

  it('is never ready again once it stops', async () => {
    const readiness = new Readiness();
    readiness.add('kafka', () => true);
    readiness.stop();
    expect((await readiness.report()).ready).toBe(false);
  });
});
