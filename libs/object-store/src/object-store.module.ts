import { Module, type DynamicModule } from '@nestjs/common';
import { ObjectStore } from './object-store.js';
import type { ObjectStoreOptions } from './object-store.types.js';

/** Gives every module of an app the one `ObjectStore`. */
@Module({})
export class ObjectStoreModule {
  static forRoot(options: ObjectStoreOptions): DynamicModule {
    return {
      module: ObjectStoreModule,
      global: true,
      providers: [{ provide: ObjectStore, useFactory: () => new ObjectStore(options) }],
      exports: [ObjectStore],
    };
  }
}
