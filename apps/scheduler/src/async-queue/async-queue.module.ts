import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import { Dispatcher } from '@openscf/dispatch';
import { Database } from '@openscf/persistence';
import { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import { placeOf, type SchedulerConfig } from '../scheduler.config.js';
import { AsyncQueueController } from './async-queue.controller.js';
import { AsyncQueue } from './async-queue.service.js';
import { migrations } from './parked-event.migrations.js';
import { ParkedEventRepository } from './parked-event.repository.js';
import type { SchedulerTables } from './parked-event.schema.js';
import { WorkerRepository } from './worker.repository.js';

/** Starts the queue with the application and closes what it needs at the end. */
class AsyncQueueLifetime implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly queue: AsyncQueue,
    private readonly dispatcher: Dispatcher,
    private readonly database: Database<SchedulerTables>,
    private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    this.readiness.add('events', () => this.queue.connected);
    void this.queue.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.dispatcher.close();
    await this.database.close();
  }
}

/**
 * The database is this module's own and not a PersistenceModule, because the scheduler starts without PostgreSQL: events run
 * and grants are given, only parking waits.
 */
@Module({})
export class AsyncQueueModule {
  static forRoot(config: SchedulerConfig, logger: Logger): DynamicModule {
    const databaseOptions = { url: config.postgresUrl, schema: 'scheduler', migrations, logger };
    return {
      module: AsyncQueueModule,
      controllers: [AsyncQueueController],
      providers: [
        { provide: Database, useFactory: () => new Database<SchedulerTables>(databaseOptions) },
        {
          provide: Dispatcher,
          inject: [Bus],
          useFactory: (bus: Bus) => new Dispatcher({ invokers: bus.table(topics.invokers), logger }),
        },
        {
          provide: AsyncQueue,
          inject: [Bus, Dispatcher, Database],
          useFactory: (bus: Bus, dispatcher: Dispatcher, database: Database<SchedulerTables>) => {
            const place = placeOf(config);
            const workerId = `${place}/${Date.now().toString(36)}`;
            return new AsyncQueue({
              bus,
              functions: bus.table(topics.functions),
              ready: Promise.all([bus.table(topics.functions).ready, bus.table(topics.invokers).ready]),
              dispatcher,
              rows: new ParkedEventRepository(database, workerId),
              workers: new WorkerRepository(database, workerId, place),
              total: config.asyncConcurrency,
              perFunction: config.asyncConcurrencyPerFunction,
              logger,
            });
          },
        },
        {
          provide: AsyncQueueLifetime,
          inject: [AsyncQueue, Dispatcher, Database, Readiness],
          useFactory: (
            queue: AsyncQueue,
            dispatcher: Dispatcher,
            database: Database<SchedulerTables>,
            readiness: Readiness,
          ) => new AsyncQueueLifetime(queue, dispatcher, database, readiness),
        },
      ],
    };
  }
}
