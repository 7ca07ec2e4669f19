import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Bus, BusModule, type CompactedTable } from '@openscf/bus';
import { type CredentialState, type FunctionState, type InvokerState, topics } from '@openscf/contracts';
import { Dispatcher } from '@openscf/dispatch';
import { ObjectStore, ObjectStoreModule } from '@openscf/object-store';
import { parseMasterKey } from '@openscf/scf-api';
import type { Logger } from '@openscf/telemetry';
import { Authenticator } from './auth/authenticator.js';
import { KeyRing } from './auth/key-ring.js';
import { CloudApi } from './cloud-api/cloud-api.js';
import { ControlActions } from './cloud-api/control-actions.service.js';
import { GatewayDrain } from './cloud-api/gateway-drain.js';
import type { GatewayConfig } from './gateway.config.js';
import { AsyncEvents } from './invoke/async-events.publisher.js';
import { Invocations } from './invoke/invoke.service.js';
import { PackageReceiver } from './packages/package.receiver.js';
import { UploadSlots } from './packages/upload-slots.js';
import { RouteTable } from './routes/route-table.js';

/** The state that a gateway holds; it is ready when all of it has been read once. */
export class GatewayTables {
  readonly functions: CompactedTable<FunctionState>;
  readonly credentials: CompactedTable<CredentialState>;
  readonly invokers: CompactedTable<InvokerState>;

  constructor(bus: Bus) {
    this.functions = bus.table(topics.functions);
    this.credentials = bus.table(topics.credentials);
    this.invokers = bus.table(topics.invokers);
  }

  get isReady(): boolean {
    return this.functions.isReady && this.credentials.isReady && this.invokers.isReady;
  }

  async ready(): Promise<void> {
    await Promise.all([this.functions.ready, this.credentials.ready, this.invokers.ready]);
  }
}

/** Large uploads under way at once; each takes some 12 MB. */
const UPLOAD_SLOTS = 8;

function cloudApi(
  bus: Bus,
  store: ObjectStore,
  tables: GatewayTables,
  dispatcher: Dispatcher,
  config: GatewayConfig,
  logger: Logger,
) {
  const keyRing = new KeyRing(tables.credentials, parseMasterKey(readFileSync(config.masterKeyFile, 'utf8')));
  // The same after a restart, and another one for every gateway: it names the topic of this gateway's replies.
  const requester = bus.requester(`gateway-${hostname().replace(/[^\w.-]/g, '_')}-${config.port}`);
  return new CloudApi({
    authenticator: new Authenticator(keyRing),
    invocations: new Invocations({
      routes: new RouteTable(tables.functions),
      dispatcher,
      asyncEvents: new AsyncEvents(bus),
      logger,
    }),
    controlActions: new ControlActions({
      requester,
      tables: new Map<string, Pick<CompactedTable<unknown>, 'waitFor'>>([
        [topics.functions.name, tables.functions],
        [topics.credentials.name, tables.credentials],
      ]),
      logger,
    }),
    packages: new PackageReceiver({
      store,
      bucket: config.platformBucket,
      slots: new UploadSlots(UPLOAD_SLOTS),
      logger,
    }),
    logger,
  });
}

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig, logger: Logger): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        BusModule.forRoot({ brokers: config.kafkaBrokers, clientId: 'gateway', logger }),
        ObjectStoreModule.forRoot({
          url: config.minioUrl,
          accessKey: config.minioRootUser,
          secretKey: config.minioRootPassword,
        }),
      ],
      providers: [
        { provide: GatewayTables, useFactory: (bus: Bus) => new GatewayTables(bus), inject: [Bus] },
        {
          provide: Dispatcher,
          useFactory: (tables: GatewayTables) => new Dispatcher({ invokers: tables.invokers, logger }),
          inject: [GatewayTables],
        },
        {
          provide: CloudApi,
          useFactory: (bus: Bus, store: ObjectStore, tables: GatewayTables, dispatcher: Dispatcher) =>
            cloudApi(bus, store, tables, dispatcher, config, logger),
          inject: [Bus, ObjectStore, GatewayTables, Dispatcher],
        },
        {
          provide: GatewayDrain,
          useFactory: (api: CloudApi, host: HttpAdapterHost) =>
            new GatewayDrain(api, () => host.httpAdapter.getHttpServer()),
          inject: [CloudApi, HttpAdapterHost],
        },
      ],
    };
  }
}
