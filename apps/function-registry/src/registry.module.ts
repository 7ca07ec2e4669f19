import { Module, type DynamicModule } from '@nestjs/common';
import { BusModule } from '@openscf/bus';
import { ObjectStore, ObjectStoreModule, type ObjectStoreOptions } from '@openscf/object-store';
import { PersistenceModule } from '@openscf/persistence';
import type { Logger } from '@openscf/telemetry';
import { AccountController } from './account/account.controller.js';
import { AccountQueries } from './account/account-queries.service.js';
import { ConcurrencyChanges } from './concurrency/concurrency-changes.service.js';
import { ConcurrencyController } from './concurrency/concurrency.controller.js';
import { ConcurrencyQueries } from './concurrency/concurrency-queries.service.js';
import { ConcurrencyRepository } from './concurrency/concurrency.repository.js';
import { ConcurrencyService } from './concurrency/concurrency.service.js';
import { CredentialsRepository } from './credentials/credentials.repository.js';
import { RootCredential } from './credentials/root-credential.service.js';
import { registryMigrations } from './database/registry.migrations.js';
import { Invokers } from './fleet/invokers.service.js';
import { FunctionChanges } from './functions/function-changes.service.js';
import { FunctionCode } from './functions/function-code.service.js';
import { FunctionQueries } from './functions/function-queries.service.js';
import { FunctionsController } from './functions/functions.controller.js';
import { FunctionsRepository } from './functions/functions.repository.js';
import { FunctionsService } from './functions/functions.service.js';
import { ImageResolver } from './images/image-resolver.js';
import { OciImageResolver } from './images/oci-image.resolver.js';
import { LayerBinding } from './layers/layer-binding.service.js';
import { LayersController } from './layers/layers.controller.js';
import { LayersRepository } from './layers/layers.repository.js';
import { LayersService } from './layers/layers.service.js';
import { Changes } from './outbox/changes.service.js';
import { OutboxRelay } from './outbox/outbox-relay.service.js';
import { OutboxRepository } from './outbox/outbox.repository.js';
import { StateReconciler } from './outbox/state-reconciler.service.js';
import { PackageSweep } from './packages/package-sweep.service.js';
import { PackagesRepository } from './packages/packages.repository.js';
import { PackagesService } from './packages/packages.service.js';
import { PlatformBucket } from './packages/platform-bucket.service.js';
import { LOGGER, PUBLIC_OBJECT_STORE, REGISTRY_CONFIG, type RegistryConfig } from './registry.config.js';
import { RegistryReadiness } from './registry-readiness.service.js';
import { TriggerChanges } from './triggers/trigger-changes.service.js';
import { TriggerQueries } from './triggers/trigger-queries.service.js';
import { TriggersController } from './triggers/triggers.controller.js';
import { TriggersRepository } from './triggers/triggers.repository.js';
import { TriggersService } from './triggers/triggers.service.js';
import { VersionsController } from './versions/versions.controller.js';
import { VersionsService } from './versions/versions.service.js';

/** The parts of the service, from the edge to the tables. */
@Module({})
export class RegistryModule {
  static forRoot(config: RegistryConfig, logger: Logger): DynamicModule {
    const store: ObjectStoreOptions = {
      url: config.minioUrl,
      accessKey: config.minioRootUser,
      secretKey: config.minioRootPassword,
    };
    const publicStore = new ObjectStore({ ...store, url: config.minioPublicUrl ?? config.minioUrl });
    return {
      module: RegistryModule,
      imports: [
        BusModule.forRoot({ brokers: config.kafkaBrokers, clientId: 'function-registry', logger }),
        PersistenceModule.forRoot({
          url: config.postgresUrl,
          schema: 'registry',
          migrations: registryMigrations,
          logger,
        }),
        ObjectStoreModule.forRoot(store),
      ],
      controllers: [
        FunctionsController,
        VersionsController,
        LayersController,
        ConcurrencyController,
        AccountController,
        TriggersController,
      ],
      providers: [
        { provide: REGISTRY_CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: PUBLIC_OBJECT_STORE, useValue: publicStore },
        FunctionsService,
        FunctionQueries,
        FunctionsRepository,
        FunctionChanges,
        FunctionCode,
        VersionsService,
        LayersService,
        LayerBinding,
        LayersRepository,
        ConcurrencyService,
        ConcurrencyQueries,
        ConcurrencyChanges,
        ConcurrencyRepository,
        AccountQueries,
        Invokers,
        {
          provide: ImageResolver,
          useFactory: () =>
            new OciImageResolver({
              insecureRegistries: config.insecureRegistries,
              ...(config.registryAuthFile !== undefined && { authFile: config.registryAuthFile }),
            }),
        },
        PackagesService,
        PackagesRepository,
        PackageSweep,
        PlatformBucket,
        TriggersService,
        TriggerQueries,
        TriggerChanges,
        TriggersRepository,
        RootCredential,
        CredentialsRepository,
        Changes,
        OutboxRelay,
        OutboxRepository,
        StateReconciler,
        RegistryReadiness,
      ],
    };
  }
}
