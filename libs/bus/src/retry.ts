import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions {
  /** Ends the tries; the wait between two tries ends at once. */
  readonly signal: AbortSignal;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly onError: (error: unknown, attempt: number) => void;
}

/** Tries until it works or the signal is aborted, with doubling waits. @returns whether it worked. */
export async function retryUntilDone(fn: () => Promise<void>, options: RetryOptions): Promise<boolean> {
  const { signal, firstDelayMs = 200, maxDelayMs = 10_000, onError } = options;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await fn();
      return true;
    } catch (error) {
      onError(error, attempt);
    }
    const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 16));
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
