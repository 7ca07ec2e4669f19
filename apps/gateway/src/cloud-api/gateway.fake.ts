import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { CompactedTable, Requester } from '@openscf/bus';
import {
  type AsyncEvent,
  type Command,
  type CommandReply,
  type CredentialState,
  type FunctionState,
  functionKey,
  type InvokeCall,
  LATEST,
  triggerKey,
  type TriggerState,
  type HttpTrigger,
} from '@openscf/contracts';
import { Dispatcher, type DispatchResult } from '@openscf/dispatch';
import { encryptSecret } from '@openscf/scf-api';
import { silentLogger } from '@openscf/telemetry';
import { Authenticator } from '../auth/authenticator.js';
import { KeyRing } from '../auth/key-ring.js';
import { AsyncEvents } from '../invoke/async-events.publisher.js';
import { EventUrls } from '../function-url/event-url.js';
import { FunctionUrls } from '../function-url/function-urls.js';
import { UrlTable } from '../function-url/url-table.js';
import { WebProxy } from '../function-url/web-proxy.js';
import { Invocations } from '../invoke/invoke.service.js';
import { PackageReceiver } from '../packages/package.receiver.js';
import { UploadSlots } from '../packages/upload-slots.js';
import { RouteTable } from '../routes/route-table.js';
import { CloudApi } from './cloud-api.js';
import { ControlActions } from './control-actions.service.js';
import { GatewayDrain } from './gateway-drain.js';
import { FrontDoor } from './front-door.js';

/** A gateway whose Kafka, object store and invokers are in memory, behind its real HTTP server. For tests. */

export const SECRET_ID = 'AKIDEXAMPLE0001';
export const SECRET_KEY = 'SKEXAMPLE0001';

export function functionState(change: Partial<FunctionState> = {}): FunctionState {
  return {
    functionId: 'lam-00000001',
    namespace: 'default',
    functionName: 'hello',
    version: LATEST,
    revision: 1,
    type: 'Event',
    status: 'Active',
    statusReason: '',
    runtime: 'Nodejs20.19',
    handler: 'index.main_handler',
    memoryMb: 128,
    timeoutMs: 3000,
    initTimeoutMs: 65_000,
    environment: {},
    code: { kind: 'package', sha256: '', sizeBytes: 0, objectKey: '' },
    asyncRetryNum: 2,
    asyncMaxAgeMs: 21_600_000,
    publicNetwork: true,
    layers: [],
    sharedDirectories: [],
    instanceConcurrency: 1,
    ...change,
  };
}

export const APP_ID = '1250000000';

/** A function URL of `hello`. */
export function httpTrigger(change: Partial<HttpTrigger> = {}): HttpTrigger {
  return {
    namespace: 'default',
    functionName: 'hello',
    functionId: 'lam-00000001',
    triggerName: 'url',
    qualifier: '$DEFAULT',
    enabled: true,
    revision: 1,
    createdAt: 0,
    type: 'http',
    urlId: 'abc123',
    authType: 'NONE',
    ...change,
  };
}

export class FakeTable<T> implements Pick<CompactedTable<T>, 'get' | 'values' | 'onChange' | 'waitFor'> {
  readonly rows = new Map<string, T>();
  readonly waitedFor: { key: string; revision: number | null }[] = [];
  private readonly listeners = new Set<
    (key: string, value: T | undefined, previous: T | undefined) => void
  >();

  get(key: string): T | undefined {
    return this.rows.get(key);
  }

  values(): IterableIterator<T> {
    return this.rows.values();
  }

  set(key: string, value: T | undefined): void {
    const previous = this.rows.get(key);
    if (value === undefined) this.rows.delete(key);
    else this.rows.set(key, value);
    for (const listener of this.listeners) listener(key, value, previous);
  }

  onChange(listener: (key: string, value: T | undefined, previous: T | undefined) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  waitFor(written: { key: string; revision: number | null }): Promise<boolean> {
    this.waitedFor.push(written);
    return Promise.resolve(true);
  }
}

export class FakeObjectStore {
  readonly objects = new Map<string, Buffer>();
  /** Stores that were begun and did not end well. */
  abandoned = 0;
  failure: Error | undefined;

  async put(_bucket: string, key: string, body: Readable | Buffer): Promise<void> {
    if (this.failure) throw this.failure;
    try {
      const chunks = Buffer.isBuffer(body) ? [body] : await Readable.from(body).toArray();
      this.objects.set(key, Buffer.concat(chunks as Buffer[]));
    } catch (error) {
      this.abandoned += 1;
      throw error;
    }
  }

  remove(_bucket: string, key: string): Promise<void> {
    this.objects.delete(key);
    return Promise.resolve();
  }
}

export function succeeded(body: string): DispatchResult {
  const usage = { durationMs: 0.8264, billedMs: 1, memoryBytes: 3_207_168, log: '' };
  return { outcome: { kind: 'succeeded', statusCode: 200, ...usage }, body: Buffer.from(body) };
}

export interface FakeGateway {
  port: number;
  api: CloudApi;
  functions: FakeTable<FunctionState>;
  credentials: FakeTable<CredentialState>;
  /** Function URLs are added with `addUrl`. */
  triggers: FakeTable<TriggerState>;
  addUrl(change?: Partial<HttpTrigger>): void;
  store: FakeObjectStore;
  /** What the gateway has sent to the owners of actions. */
  commands: { service: string; action: string; command: Command }[];
  /** Replaceable: how owners reply, how calls end, how async events are stored. */
  reply: (action: string, command: Command) => CommandReply | Promise<CommandReply>;
  dispatch: (
    call: InvokeCall,
    event: Buffer,
    signal?: AbortSignal,
  ) => DispatchResult | Promise<DispatchResult>;
  publish: (event: AsyncEvent) => Promise<void>;
  /** Added to the gateway's clock. */
  clockOffsetMs: number;
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** `web`: where requests of web functions go; without it nowhere. */
export async function startFakeGateway(web?: Pick<Dispatcher, 'request'>): Promise<FakeGateway> {
  const logger = silentLogger();
  const masterKey = randomBytes(32);
  const functions = new FakeTable<FunctionState>();
  const credentials = new FakeTable<CredentialState>();
  const store = new FakeObjectStore();
  const hello = functionState();
  functions.set(functionKey(hello), hello);
  credentials.set(SECRET_ID, {
    secretId: SECRET_ID,
    encryptedSecretKey: encryptSecret(masterKey, SECRET_ID, SECRET_KEY),
    appId: APP_ID,
    uin: '100000000001',
    enabled: true,
  });

  const requester: Pick<Requester, 'request'> = {
    request: async (service, action, command) => {
      // The way over Kafka, so that what JSON cannot hold is found out here.
      const sent = JSON.parse(JSON.stringify(command)) as Command;
      fake.commands.push({ service, action, command: sent });
      return fake.reply(action, sent);
    },
  };
  const dispatcher: Pick<Dispatcher, 'invoke'> = {
    invoke: async (call, event, { signal }) => fake.dispatch(call, event, signal),
  };
  const asyncEvents = new AsyncEvents({
    publish: async (_topic, messages) => {
      for (const { value } of messages) await fake.publish(value as unknown as AsyncEvent);
    },
  });

  const authenticator = new Authenticator(
    new KeyRing(credentials, masterKey),
    () => Date.now() + fake.clockOffsetMs,
  );
  const routes = new RouteTable(functions);
  const triggers = new FakeTable<TriggerState>();
  const urls = new FunctionUrls({
    urls: new UrlTable(triggers, routes, APP_ID),
    authenticator,
    webProxy: new WebProxy(web ?? new Dispatcher({ invokers: { values: () => [] }, logger })),
    eventUrls: new EventUrls(dispatcher),
    logger,
  });
  const api = new CloudApi({
    authenticator,
    invocations: new Invocations({ routes, dispatcher, asyncEvents, logger }),
    controlActions: new ControlActions({
      requester,
      tables: new Map([['openscf.functions', functions]]),
      logger,
    }),
    packages: new PackageReceiver({ store, bucket: 'platform', slots: new UploadSlots(2), logger }),
    logger,
  });
  const server = await openDoor(api, urls);

  const fake: FakeGateway = {
    port: (server.address() as AddressInfo).port,
    api,
    functions,
    credentials,
    triggers,
    addUrl: (change) => {
      const trigger = httpTrigger(change);
      triggers.set(triggerKey(trigger), trigger);
    },
    store,
    commands: [],
    reply: () => ({ ok: true, response: {}, written: [] }),
    dispatch: (_call, event) => succeeded(event.toString()),
    publish: () => Promise.resolve(),
    clockOffsetMs: 0,
    drain: (deadlineMs) => new GatewayDrain([api, urls], () => server).drain(deadlineMs),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

async function openDoor(api: CloudApi, urls: FunctionUrls) {
  const frontDoor = new FrontDoor(silentLogger());
  frontDoor.attach(api, urls);
  const server = frontDoor.createServer((_request, response) => {
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
