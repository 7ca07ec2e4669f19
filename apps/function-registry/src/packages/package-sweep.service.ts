import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ObjectStore } from '@openscf/object-store';
import type { OnDrain } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import { LOGGER, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { CODE_PREFIX, sha256OfKey, UPLOAD_PREFIX } from './package-keys.policy.js';
import { PackagesRepository } from './packages.repository.js';

const INTERVAL_MS = 10 * 60_000;
/** An upload is taken over within a minute; a package is taken into use within seconds after it is stored. */
const GRACE_MS = 60 * 60_000;

/** Removes uploads that nobody took over and packages that no function uses any more, some time after. */
@Injectable()
export class PackageSweep implements OnApplicationBootstrap, OnDrain {
  private running: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly packages: PackagesRepository,
    private readonly store: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running = this.running.then(() => this.tryOnce());
    }, INTERVAL_MS);
  }

  async drain(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** One sweep; several replicas may do it at once. `graceMs` is how long something must have been left alone. */
  async sweep(graceMs: number = GRACE_MS): Promise<{ uploads: number; packages: number }> {
    const { platformBucket: bucket } = this.config;
    const removed = { uploads: 0, packages: 0 };
    const before = Date.now() - graceMs;
    for await (const upload of this.store.list(bucket, UPLOAD_PREFIX)) {
      if (upload.lastModifiedMs > before) continue;
      await this.store.remove(bucket, upload.key);
      removed.uploads += 1;
    }
    await this.adoptStrays(before);
    while (await this.packages.removeUnused(graceMs, (key) => this.store.remove(bucket, key)))
      removed.packages += 1;
    return removed;
  }

  /** A package without a row is one that a lost database knew. It gets a row now and is removed by a later sweep. */
  private async adoptStrays(before: number): Promise<void> {
    for await (const stored of this.store.list(this.config.platformBucket, CODE_PREFIX)) {
      const sha256 = sha256OfKey(stored.key);
      if (sha256 === undefined || stored.lastModifiedMs > before) continue;
      await this.packages.adopt({ sha256, sizeBytes: stored.sizeBytes, objectKey: stored.key });
    }
  }

  private async tryOnce(): Promise<void> {
    try {
      const removed = await this.sweep();
      if (removed.uploads + removed.packages > 0) this.logger.info(removed, 'removed code that nobody uses');
    } catch (error) {
      this.logger.warn({ error }, 'the sweep of code packages did not finish, the next one goes on');
    }
  }
}
