export interface WaitForPartOptions {
  readonly logger: { warn(fields: object, message: string): void };
  /** True for an error that says "not there now". Every other one ends the wait. */
  readonly isAway: (error: unknown) => boolean;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** The pause between two tries: this, and a hundredth of the time that has passed already, up to the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** A wait that is longer is said, and said again. */
const SOON_MS = 1_000;
const SAY_EVERY_MS = 30_000;

/**
 * Tries until it works, however long a part (Kafka, PostgreSQL, the object store) takes to come: services start beside the parts that
 * they need. The first tries follow each other closely, so that nobody is late when it comes.
 * @returns false when the signal was aborted first. @throws what `isAway` does not know
 */
export async function waitForPart(
  part: string,
  attempt: () => Promise<void>,
  { logger, isAway, signal }: WaitForPartOptions,
): Promise<boolean> {
  const startedAtMs = Date.now();
  let sayAfterMs = SOON_MS;
  while (!signal?.aborted) {
    try {
      await attempt();
      return true;
    } catch (error) {
      if (!isAway(error)) throw error;
      const waitedMs = Date.now() - startedAtMs;
      if (waitedMs > sayAfterMs) {
        logger.warn({ error, waitedMs }, `waiting for ${part}`);
        sayAfterMs = waitedMs + SAY_EVERY_MS;
      }
      await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS + waitedMs / 100), signal);
    }
  }
  return false;
}

/** Ends early when the signal is aborted. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}
