import type { INestApplicationContext } from '@nestjs/common';
import { providersWith } from './providers-with.js';

/**
 * A provider that has something to finish before the process ends. `drain` is called once, for all providers at the same time, after
 * `/ready` has turned to 503 and before any module is destroyed: publishing, the database and HTTP still work.
 */
export interface OnDrain {
  /** @param deadlineMs when the process ends in any case, in ms since the epoch. */
  drain(deadlineMs: number): Promise<void>;
}

function isOnDrain(instance: object): instance is OnDrain {
  return 'drain' in instance && typeof instance.drain === 'function';
}

/** Every instance of the application that has a `drain`. */
export function findOnDrain(app: INestApplicationContext): OnDrain[] {
  return providersWith(app, isOnDrain);
}
