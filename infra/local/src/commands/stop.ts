import { setTimeout as delay } from 'node:timers/promises';
import { openHome } from '../home/home.ts';
import { lockHolder } from '../home/lock.ts';
import { isAlive } from '../home/process-identity.ts';
import { LaunchError } from '../launch.errors.ts';
import type { Settings } from '../settings.ts';
import { sweepOrphans } from '../supervisor/supervisor.ts';

/** Longer than all drains and kills of the supervisor together. */
const LONGEST_STOP_MS = 90_000;

/** Ends the platform of this home and waits until it is gone; also ends what a killed supervisor left behind. */
export async function stop(settings: Settings): Promise<number> {
  const home = openHome(settings.home);
  const holder = lockHolder(home.lockFile);
  if (holder === undefined) {
    const swept = await sweepOrphans(home);
    console.log(
      swept > 0
        ? `OpenSCF did not run; ended ${swept} processes that were left behind.`
        : `OpenSCF does not run (home ${home.root}).`,
    );
    return 0;
  }
  process.kill(holder.pid, 'SIGTERM');
  const sinceMs = Date.now();
  while (isAlive(holder)) {
    if (Date.now() - sinceMs > LONGEST_STOP_MS)
      throw new LaunchError(
        `Process ${holder.pid} still runs ${LONGEST_STOP_MS / 1000} s after it was asked to end: its log is ${home.log('supervisor')}.`,
      );
    await delay(50);
  }
  console.log(`OpenSCF has stopped (${((Date.now() - sinceMs) / 1000).toFixed(1)} s).`);
  return 0;
}
