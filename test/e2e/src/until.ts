import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

/**
 * Looks until there is something else than undefined or false.
 * @throws with the last error of `look`, or with `what`, when that has not come within `timeoutMs`
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  let last: unknown;
  for (
    const deadline = performance.now() + timeoutMs;
    performance.now() < deadline;
    await delay(LOOK_EVERY_MS)
  ) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: last });
}
