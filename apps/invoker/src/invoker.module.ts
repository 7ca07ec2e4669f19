import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { Bus, BusModule } from '@openscf/bus';
import { ObjectStore, ObjectStoreModule } from '@openscf/object-store';
import type { SandboxDriver } from '@openscf/sandbox-api';
import { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import { makeHostFiles, type HostFiles } from './code-cache/host-files.factory.js';
import { RuntimeCatalog } from './instance/runtime-catalog.js';
import { createSandboxDriver } from './instance/sandbox-driver.factory.js';
import { sandboxOwner, type InvokerConfig } from './invoker.config.js';
import { makeInvoker } from './invoker.factory.js';
import { InvokerService } from './invoker.service.js';

/** The name and port at which instances find the object store. */
const OBJECT_STORE = { name: 'minio.openscf.internal', port: 9000 };
const SANDBOX_DRIVER = Symbol('SandboxDriver');
const HOST_FILES = Symbol('HostFiles');

/** Puts the invoker together. */
@Module({})
export class InvokerModule {
  static forRoot(config: InvokerConfig, logger: Logger): DynamicModule {
    return {
      module: InvokerModule,
      imports: [
        BusModule.forRoot({
          brokers: config.kafkaBrokers,
          clientId: `openscf-invoker-${config.invokerId}`,
          logger,
        }),
        ObjectStoreModule.forRoot({
          url: config.minioUrl,
          accessKey: config.minioRootUser,
          secretKey: config.minioRootPassword,
        }),
      ],
      providers: [
        {
          provide: SANDBOX_DRIVER,
          useFactory: (runtimes: RuntimeCatalog) => sandboxDriver(config, runtimes),
          inject: [RuntimeCatalog],
        },
        {
          provide: RuntimeCatalog,
          useFactory: () => RuntimeCatalog.load(join(config.cache, 'runtimes', 'runtimes.json')),
        },
        {
          provide: HOST_FILES,
          useFactory: (store: ObjectStore, runtimes: RuntimeCatalog, driver: SandboxDriver) =>
            makeHostFiles(config, store, runtimes.host.rootfs, driver, logger),
          inject: [ObjectStore, RuntimeCatalog, SANDBOX_DRIVER],
        },
        {
          provide: InvokerService,
          useFactory: (
            bus: Bus,
            driver: SandboxDriver,
            runtimes: RuntimeCatalog,
            files: HostFiles,
            readiness: Readiness,
          ) => makeInvoker({ bus, driver, runtimes, files, readiness, logger }, config),
          inject: [Bus, SANDBOX_DRIVER, RuntimeCatalog, HOST_FILES, Readiness],
        },
      ],
    };
  }
}

function sandboxDriver(
  config: InvokerConfig,
  { host, launcherProgram }: RuntimeCatalog,
): Promise<SandboxDriver> {
  const store = new URL(config.minioUrl);
  const port = Number(store.port || (store.protocol === 'https:' ? 443 : 80));
  const options = {
    owner: sandboxOwner(config),
    relays: [{ ...OBJECT_STORE, target: { host: store.hostname, port } }],
    publicEgress: true,
    readyNetworks: availableParallelism() + 2,
    baseRootfs: host.rootfs,
  };
  return createSandboxDriver(config.sandboxDriver, options, launcherProgram);
}
