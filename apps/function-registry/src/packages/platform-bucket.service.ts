import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { UnavailableError } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import type { OnPrepare } from '@openscf/service-kit';
import { waitForPart, type Logger } from '@openscf/telemetry';
import { LOGGER, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';

/** Makes the platform's own bucket before the first command, waiting for the object store as long as it takes. */
@Injectable()
export class PlatformBucket implements OnPrepare, OnModuleInit {
  private made: Promise<unknown> | undefined;

  constructor(
    private readonly store: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onPrepare(): Promise<void> {
    const make = () => this.store.ensureBucket(this.config.platformBucket);
    this.made ??= waitForPart('the object store', make, {
      logger: this.logger,
      isAway: (error) => error instanceof UnavailableError,
    });
    await this.made;
  }

  onModuleInit(): Promise<void> {
    return this.onPrepare();
  }
}
