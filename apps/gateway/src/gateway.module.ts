import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Bus, BusModule, type CompactedTable } from '@openscf/bus';
import {
  type CredentialState,
  type FunctionState,
  type InvokerState,
  topics,
  type TriggerState,
} from '@openscf/contracts';
import { Dispatcher } from '@openscf/dispatch';
import { ObjectStore, ObjectStoreModule } from '@openscf/object-store';
import { parseMasterKey } from '@openscf/scf-api';
import type { Logger } from '@openscf/telemetry';
import { Authenticator } from './auth/authenticator.js';
import { KeyRing } from './auth/key-ring.js';
import { CloudApi } from './cloud-api/cloud-api.js';
import { ControlActions } from './cloud-api/control-actions.service.js';
import { GatewayDrain } from './cloud-api/gateway-drain.js';
import { EventUrls } from './function-url/event-url.js';
import { FunctionUrls } from './function-url/function-urls.js';
import { UrlTable } from './function-url/url-table.js';
import { WebProxy } from './function-url/web-proxy.js';
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
  readonly triggers: CompactedTable<TriggerState>;
  readonly routes: RouteTable;

  constructor(bus: Bus) {
    this.functions = bus.table(topics.functions);
    this.credentials = bus.table(topics.credentials);
    this.invokers = bus.table(topics.invokers);
    this.triggers = bus.table(topics.triggers);
    this.routes = new RouteTable(this.functions);
  }

  get isReady(): boolean {
    return this.all().every(({ isReady }) => isReady);
  }

  async ready(): Promise<void> {
    await Promise.all(this.all().map(({ ready }) => ready));
  }

  private all(): Pick<CompactedTable<unknown>, 'isReady' | 'ready'>[] {
    return [this.functions, this.credentials, this.invokers, this.triggers];
  }
}

/** Large uploads under way at once; each takes some 12 MB. */
const UPLOAD_SLOTS = 8;

function cloudApi(
  bus: Bus,
  store: ObjectStore,
  tables: GatewayTables,
  dispatcher: Dispatcher,
  authenticator: Authenticator,
  config: GatewayConfig,
  logger: Logger,
) {
  // The same after a restart, and another one for every gateway: it names the topic of this gateway's replies.
  const requester = bus.requester(`gateway-${hostname().replace(/[^\w.-]/g, '_')}-${config.port}`);
  return new CloudApi({
    authenticator,
    invocations: new Invocations({
      routes: tables.routes,
      dispatcher,
      asyncEvents: new AsyncEvents(bus),
      logger,
    }),
    controlActions: new ControlActions({
      requester,
      tables: new Map<string, Pick<CompactedTable<unknown>, 'waitFor'>>([
        [topics.functions.name, tables.functions],
        [topics.credentials.name, tables.credentials],
        [topics.triggers.name, tables.triggers],
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

function functionUrls(
  tables: GatewayTables,
  dispatcher: Dispatcher,
  authenticator: Authenticator,
  config: GatewayConfig,
  logger: Logger,
) {
  return new FunctionUrls({
    urls: new UrlTable(tables.triggers, tables.routes, config.appId),
    authenticator,
    webProxy: new WebProxy(dispatcher),
    eventUrls: new EventUrls(dispatcher),
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
          provide: Authenticator,
          useFactory: (tables: GatewayTables) => {
            const masterKey = parseMasterKey(readFileSync(config.masterKeyFile, 'utf8'));
            return new Authenticator(new KeyRing(tables.credentials, masterKey));
          },
          inject: [GatewayTables],
        },
        {
          provide: CloudApi,
          useFactory: (
            bus: Bus,
            store: ObjectStore,
            tables: GatewayTables,
            dispatcher: Dispatcher,
            authenticator: Authenticator,
          ) => cloudApi(bus, store, tables, dispatcher, authenticator, config, logger),
          inject: [Bus, ObjectStore, GatewayTables, Dispatcher, Authenticator],
        },
        {
          provide: FunctionUrls,
          useFactory: (tables: GatewayTables, dispatcher: Dispatcher, authenticator: Authenticator) =>
            functionUrls(tables, dispatcher, authenticator, config, logger),
          inject: [GatewayTables, Dispatcher, Authenticator],
        },
        {
          provide: GatewayDrain,
          useFactory: (api: CloudApi, urls: FunctionUrls, host: HttpAdapterHost) =>
            new GatewayDrain([api, urls], () => host.httpAdapter.getHttpServer()),
          inject: [CloudApi, FunctionUrls, HttpAdapterHost],
        },
      ],
    };
  }
}
