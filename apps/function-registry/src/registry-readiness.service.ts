import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import { ObjectStore } from '@openscf/object-store';
import { Database } from '@openscf/persistence';
import { Readiness } from '@openscf/service-kit';
import type { RegistrySchema } from './database/registry.schema.js';

/** The registry is ready while all three parts answer: a deployment needs each of them. */
@Injectable()
export class RegistryReadiness implements OnModuleInit {
  constructor(
    private readonly readiness: Readiness,
    private readonly bus: Bus,
    private readonly store: ObjectStore,
    @Inject(Database) private readonly database: Database<RegistrySchema>,
  ) {}

  onModuleInit(): void {
    this.readiness.add('kafka', () => this.bus.isReachable());
    this.readiness.add('postgresql', () => this.database.isReachable());
    this.readiness.add('object store', () => this.store.isReachable());
  }
}
