import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/**
 * A provider that has something to finish before the process ends. `drain` is called once, for all providers at the same time, after
 * `/ready` has turned to 503 and before any module is destroyed: publishing, the database and HTTP still work.
 */
export interface OnDrain {
  /** @param deadlineMs when the process ends in any case, in ms since the epoch. */
  drain(deadlineMs: number): Promise<void>;
}

function isOnDrain(instance: unknown): instance is OnDrain {
  return (
    typeof instance === 'object' &&
    instance !== null &&
    'drain' in instance &&
    typeof instance.drain === 'function'
  );
}

/** Every instance of the application that has a `drain`. */
export function findOnDrain(app: INestApplicationContext): OnDrain[] {
  const found = new Set<OnDrain>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const wrapper of [...module.providers.values(), ...module.controllers.values()]) {
      // Reading `instance` of something that is made per request would make it.
      if (!wrapper.isDependencyTreeStatic()) continue;
      const instance: unknown = wrapper.instance;
      if (isOnDrain(instance)) found.add(instance);
    }
  }
  return [...found];
}
