import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitForPart } from './wait-for-part.js';

describe('waitForPart', () => {
  const said: unknown[] = [];
  const logger = { warn: (fields: object, message: string) => void said.push({ ...fields, message }) };
  const away = new Error('away');
  const options = { logger, isAway: (error: unknown) => error === away };

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    said.splice(0);
  });

  /** Is away until so many ms from now. */
  function comingAfter(ms: number): { attempt: () => Promise<void>; attempts: number[] } {
    const startedAtMs = Date.now();
    const attempts: number[] = [];
    const attempt = (): Promise<void> => {
      attempts.push(Date.now() - startedAtMs);
      return attempts.at(-1)! < ms ? Promise.reject(away) : Promise.resolve();
    };
    return { attempt, attempts };
  }

  it('notices within a moment that the part is there, and says nothing of a short wait', async () => {
    const { attempt, attempts } = comingAfter(900);
    const done = waitForPart('Kafka', attempt, options);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await done).toBe(true);
    expect(attempts.at(-1)).toBeLessThan(970);
    expect(said).toEqual([]);
  });

  it('tries ever less often, and says what it waits for at first and every half minute', async () => {
    const { attempt, attempts } = comingAfter(300_000);
    const done = waitForPart('Kafka', attempt, options);
    await vi.advanceTimersByTimeAsync(301_000);
    expect(await done).toBe(true);
    expect(attempts.length).toBeLessThan(900);
    expect(said).toHaveLength(10);
    expect(said[0]).toMatchObject({ message: 'waiting for Kafka', error: away });
  });

  it('ends when it is told to', async () => {
    const stopping = new AbortController();
    const done = waitForPart('Kafka', () => Promise.reject(away), { ...options, signal: stopping.signal });
    await vi.advanceTimersByTimeAsync(500);
    stopping.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(await done).toBe(false);
  });

  it('throws what is another trouble', async () => {
    const broken = new Error('broken');
    await expect(waitForPart('PostgreSQL', () => Promise.reject(broken), options)).rejects.toBe(broken);
  });
});
