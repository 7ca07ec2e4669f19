import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/** Every instance of the application, each once, that `has` accepts. */
export function providersWith<T extends object>(
  app: INestApplicationContext,
  has: (instance: object) => instance is T,
): T[] {
  const found = new Set<T>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const wrapper of [...module.providers.values(), ...module.controllers.values()]) {
      // Reading `instance` of something that is made per request would make it.
      if (!wrapper.isDependencyTreeStatic()) continue;
      const instance: unknown = wrapper.instance;
      if (typeof instance === 'object' && instance !== null && has(instance)) found.add(instance);
    }
  }
  return [...found];
}
