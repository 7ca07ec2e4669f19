import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** The lowest priority, and that of everyone. */
const LOWEST = 19;
const USUAL = 0;
/** Who is not root may set one value in 100 ms. */
const RETRY_MS = 110;

/**
 * Lets all others on the processors first until a promise settles. It is for a process that leads a session, as all children do: Linux
 * weighs whole sessions against each other (autogroup), so that a priority of the process alone would change nothing. Where Linux does
 * not, nothing happens.
 */
export async function giveWay(pid: number, until: Promise<unknown>): Promise<void> {
  await setPriority(pid, LOWEST);
  await until.catch(() => undefined);
  await setPriority(pid, USUAL);
}

async function setPriority(pid: number, nice: number): Promise<void> {
  for (;;) {
    const error = await writeFile(`/proc/${pid}/autogroup`, String(nice)).then(
      () => undefined,
      (reason: NodeJS.ErrnoException) => reason,
    );
    if (error?.code !== 'EAGAIN') return;
    await delay(RETRY_MS);
  }
}
