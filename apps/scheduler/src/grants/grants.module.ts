import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import type { SchedulerConfig } from '../scheduler.config.js';
import { GrantsController } from './grants.controller.js';
import { Grants } from './grants.service.js';

/** Starts granting when the application starts. */
class GrantsLifetime implements OnModuleInit {
  constructor(
    private readonly grants: Grants,
    private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    this.readiness.add('grants', () => this.grants.connected);
    void this.grants.start();
  }
}

@Module({})
export class GrantsModule {
  static forRoot(config: SchedulerConfig, logger: Logger): DynamicModule {
    return {
      module: GrantsModule,
      controllers: [GrantsController],
      providers: [
        {
          provide: Grants,
          inject: [Bus],
          useFactory: (bus: Bus) =>
            new Grants({
              bus,
              invokers: bus.table(topics.invokers),
              placements: bus.table(topics.placements),
              functions: bus.table(topics.functions),
              concurrency: bus.table(topics.concurrency),
              accountMb: config.accountConcurrencyMb,
              namespaceMb: config.namespaceConcurrencyMb,
              startsPerMinute: config.provisionedStartsPerMinute,
              logger,
            }),
        },
        {
          provide: GrantsLifetime,
          inject: [Grants, Readiness],
          useFactory: (grants: Grants, readiness: Readiness) => new GrantsLifetime(grants, readiness),
        },
      ],
    };
  }
}
