import type { INestApplicationContext } from '@nestjs/common';
import { providersWith } from './providers-with.js';

/**
 * A provider that has something to do before the application starts that needs no Kafka: make its tables, its bucket, its folders.
 * `onPrepare` of all providers runs at the same time, beside the wait for Kafka, and has ended before any `onModuleInit`.
 */
export interface OnPrepare {
  /** Waits for the part it needs. What it throws ends the start of the service. */
  onPrepare(): Promise<void>;
}

function isOnPrepare(instance: object): instance is OnPrepare {
  return 'onPrepare' in instance && typeof instance.onPrepare === 'function';
}

/** Resolves when every provider of the application that has an `onPrepare` has done it. */
export async function prepareProviders(app: INestApplicationContext): Promise<void> {
  await Promise.all(providersWith(app, isOnPrepare).map((provider) => provider.onPrepare()));
}
