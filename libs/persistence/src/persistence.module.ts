import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Database, type DatabaseOptions } from './database.js';

/** Migrates before the first request, beside what else a service waits for at its start, and closes the pool at the end. */
class DatabaseLifetime implements OnModuleInit, OnApplicationShutdown {
  private prepared: Promise<void> | undefined;

  constructor(private readonly database: Database<unknown>) {}

  /** Called by the service kit before the application is initialised. */
  onPrepare(): Promise<void> {
    this.prepared ??= this.database.prepare();
    return this.prepared;
  }

  onModuleInit(): Promise<void> {
    return this.onPrepare();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}

/**
 * Gives every module of an app its `Database`, migrated before any other module's `onModuleInit`. Inject it as
 * `@Inject(Database) private readonly database: Database<Tables>`.
 */
@Module({})
export class PersistenceModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: PersistenceModule,
      global: true,
      providers: [
        { provide: Database, useFactory: () => new Database<unknown>(options) },
        {
          provide: DatabaseLifetime,
          useFactory: (database: Database<unknown>) => new DatabaseLifetime(database),
          inject: [Database],
        },
      ],
      exports: [Database],
    };
  }
}
