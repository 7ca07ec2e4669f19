import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import type { Logger } from '@openscf/telemetry';
import { LOGGER, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';

const RETRY_MS = 500;

/** Makes the platform's own bucket before the first command, waiting for the object store as long as it takes. */
@Injectable()
export class PlatformBucket implements OnModuleInit {
  constructor(
    private readonly store: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.store.ensureBucket(this.config.platformBucket);
        return;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        if (attempt === 0) this.logger.warn({ error }, 'waiting for the object store');
        await delay(RETRY_MS);
      }
    }
  }
}
