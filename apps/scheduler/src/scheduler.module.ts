import { Module, type DynamicModule } from '@nestjs/common';
import { BusModule } from '@openscf/bus';
import type { Logger } from '@openscf/telemetry';
import { AsyncQueueModule } from './async-queue/async-queue.module.js';
import { GrantsModule } from './grants/grants.module.js';
import type { SchedulerConfig } from './scheduler.config.js';

/** grants/: who may run how much. provisioning/: what stands ready before anyone calls. async-queue/: events, from their record to their end. */
@Module({})
export class SchedulerModule {
  static forRoot(config: SchedulerConfig, logger: Logger): DynamicModule {
    return {
      module: SchedulerModule,
      imports: [
        BusModule.forRoot({ brokers: config.kafkaBrokers, clientId: 'scheduler', logger }),
        GrantsModule.forRoot(config, logger),
        AsyncQueueModule.forRoot(config, logger),
      ],
    };
  }
}
