import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { Bus, BusModule } from '@openscf/bus';
import { Database, PersistenceModule } from '@openscf/persistence';
import { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import { IngestConsumer } from './ingest/ingest.consumer.js';
import type { LogConfig } from './log.config.js';
import { InvocationRepository } from './query/invocation.repository.js';
import { QueriesController } from './query/queries.controller.js';
import { LogQueries } from './query/queries.service.js';
import { migrations } from './store/log.migrations.js';
import type { LogTables } from './store/log.schema.js';
import { Partitions } from './store/partitions.service.js';
import { RecordRepository } from './store/record.repository.js';

/** Half of the time to end: what is left is for closing. */
const STOP_MS = 5_000;

/** Starts reading when the application has its tables, and stops before they go. */
class LogLifetime implements OnModuleInit {
  constructor(
    private readonly ingest: IngestConsumer,
    private readonly partitions: Partitions,
    private readonly database: Database<LogTables>,
    private readonly readiness: Readiness,
  ) {}

  async onModuleInit(): Promise<void> {
    this.readiness.add('records', () => this.ingest.connected);
    this.readiness.add('postgresql', () => this.database.isReachable());
    await this.partitions.maintain(Date.now()).catch(() => undefined);
    this.partitions.start();
    this.ingest.start();
  }

  async drain(): Promise<void> {
    this.partitions.stop();
    await this.ingest.stop(STOP_MS);
  }
}

/** ingest/: from Kafka into the tables. store/: the tables. query/: the answers to the actions on logs. */
@Module({})
export class LogModule {
  static forRoot(config: LogConfig, logger: Logger): DynamicModule {
    return {
      module: LogModule,
      imports: [
        BusModule.forRoot({ brokers: config.kafkaBrokers, clientId: 'log', logger }),
        PersistenceModule.forRoot({ url: config.postgresUrl, schema: 'log', migrations, logger }),
      ],
      controllers: [QueriesController],
      providers: [
        {
          provide: Partitions,
          inject: [Database],
          useFactory: (database: Database<LogTables>) =>
            new Partitions(database, config.retentionDays, logger),
        },
        {
          provide: RecordRepository,
          inject: [Database, Partitions],
          useFactory: (database: Database<LogTables>, partitions: Partitions) =>
            new RecordRepository(database, partitions),
        },
        {
          provide: IngestConsumer,
          inject: [Bus, RecordRepository],
          useFactory: (bus: Bus, records: RecordRepository) => new IngestConsumer(bus, records, logger),
        },
        {
          provide: LogQueries,
          inject: [Database],
          useFactory: (database: Database<LogTables>) => new LogQueries(new InvocationRepository(database)),
        },
        {
          provide: LogLifetime,
          inject: [IngestConsumer, Partitions, Database, Readiness],
          useFactory: (
            ingest: IngestConsumer,
            partitions: Partitions,
            database: Database<LogTables>,
            readiness: Readiness,
          ) => new LogLifetime(ingest, partitions, database, readiness),
        },
      ],
    };
  }
}
