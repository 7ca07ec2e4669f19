import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** 10 s unless told. */
  readonly timeoutMs?: number;
  /** 20 ms unless told. */
  readonly intervalMs?: number;
}

/**
 * Polls until the condition is truthy and returns its value. A throw counts as "not yet".
 * @throws Error with the last value or error when the time is over.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20 }: EventuallyOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  let last: { value: T } | { error: unknown } | undefined;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false>>;
      last = { value };
    } catch (error) {
      last = { error };
    }
    if (performance.now() >= deadline) break;
    await delay(intervalMs);
  }
  if ('error' in last)
    throw new Error(`not within ${timeoutMs} ms, last error: ${String(last.error)}`, { cause: last.error });
  throw new Error(`not within ${timeoutMs} ms, last value: ${JSON.stringify(last.value)}`);
}
