import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Bus } from '@openscf/bus';
import { loadConfig } from '@openscf/config';
import { topics, type Command, type InvokerState, type Upload } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import { Database } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { AccountController } from '../src/account/account.controller.js';
import { AccountQueries } from '../src/account/account-queries.service.js';
import { ConcurrencyChanges } from '../src/concurrency/concurrency-changes.service.js';
import { ConcurrencyController } from '../src/concurrency/concurrency.controller.js';
import { ConcurrencyQueries } from '../src/concurrency/concurrency-queries.service.js';
import { ConcurrencyRepository } from '../src/concurrency/concurrency.repository.js';
import { ConcurrencyService } from '../src/concurrency/concurrency.service.js';
import { CredentialsRepository } from '../src/credentials/credentials.repository.js';
import { RootCredential } from '../src/credentials/root-credential.service.js';
import { registryMigrations } from '../src/database/registry.migrations.js';
import type { RegistrySchema } from '../src/database/registry.schema.js';
import { Invokers } from '../src/fleet/invokers.service.js';
import { FunctionChanges } from '../src/functions/function-changes.service.js';
import { FunctionCode } from '../src/functions/function-code.service.js';
import { FunctionQueries } from '../src/functions/function-queries.service.js';
import { FunctionsController } from '../src/functions/functions.controller.js';
import { FunctionsRepository } from '../src/functions/functions.repository.js';
import { FunctionsService } from '../src/functions/functions.service.js';
import { ImageResolver, type ResolvedImage } from '../src/images/image-resolver.js';
import { LayerBinding } from '../src/layers/layer-binding.service.js';
import { LayersController } from '../src/layers/layers.controller.js';
import { LayersRepository } from '../src/layers/layers.repository.js';
import { LayersService } from '../src/layers/layers.service.js';
import { Changes } from '../src/outbox/changes.service.js';
import { OutboxRelay } from '../src/outbox/outbox-relay.service.js';
import { OutboxRepository } from '../src/outbox/outbox.repository.js';
import { StateReconciler } from '../src/outbox/state-reconciler.service.js';
import { PackageSweep } from '../src/packages/package-sweep.service.js';
import { PackagesRepository } from '../src/packages/packages.repository.js';
import { PackagesService } from '../src/packages/packages.service.js';
import { registryConfig } from '../src/registry.config.js';
import { TriggerChanges } from '../src/triggers/trigger-changes.service.js';
import { TriggerQueries } from '../src/triggers/trigger-queries.service.js';
import { TriggersController } from '../src/triggers/triggers.controller.js';
import { TriggersRepository } from '../src/triggers/triggers.repository.js';
import { TriggersService } from '../src/triggers/triggers.service.js';
import { VersionsController } from '../src/versions/versions.controller.js';
import { VersionsService } from '../src/versions/versions.service.js';
import { craftZip } from './crafted-zip.factory.js';

/** Invokers as a test says; other specs' heartbeats do not count. */
class FakeInvokers extends Invokers {
  states: InvokerState[] = [];

  override live(): InvokerState[] {
    return this.states;
  }
}

/** A registry that has every image. */
class FakeImages extends ImageResolver {
  readonly asked: string[] = [];

  resolve(imageUri: string): Promise<ResolvedImage> {
    this.asked.push(imageUri);
    return Promise.resolve({ digest: `sha256:${'ef'.repeat(32)}`, sizeBytes: 1234 });
  }
}

/** Kafka, MinIO and PostgreSQL as the registry uses them, in a schema and a bucket of its own. */
async function openParts(environment: Record<string, string>) {
  const id = randomBytes(4).toString('hex');
  const config = loadConfig(registryConfig, { ...environment, OPENSCF_PLATFORM_BUCKET: `platform-${id}` });
  const logger = silentLogger();
  const database = new Database<RegistrySchema>({
    url: config.postgresUrl,
    schema: `registry_${id}`,
    migrations: registryMigrations,
    logger,
  });
  await database.prepare();
  const store = new ObjectStore({
    url: config.minioUrl,
    accessKey: config.minioRootUser,
    secretKey: config.minioRootPassword,
  });
  await store.ensureBucket(config.platformBucket);
  const bus = new Bus({ brokers: config.kafkaBrokers, clientId: `registry-${id}`, logger });
  await bus.ensureTopics(Object.values(topics));
  return { config, logger, database, store, bus };
}
type Parts = Awaited<ReturnType<typeof openParts>>;

/** Everything that other classes are made from. */
function foundation({ config, logger, database, store, bus }: Parts) {
  const outbox = new OutboxRepository(database);
  const relay = new OutboxRelay(outbox, bus, logger);
  const changes = new Changes(outbox, relay);
  const functions = new FunctionsRepository(database);
  const triggers = new TriggersRepository(database);
  const layers = new LayersRepository(database);
  const concurrency = new ConcurrencyRepository(database);
  const packageRows = new PackagesRepository(database);
  const packages = new PackagesService(packageRows, store, config, logger);
  return {
    outbox,
    relay,
    changes,
    functions,
    triggers,
    layers,
    concurrency,
    packageRows,
    packages,
    triggerChanges: new TriggerChanges(triggers, outbox),
    functionChanges: new FunctionChanges(functions, packages, outbox, config),
    concurrencyChanges: new ConcurrencyChanges(concurrency, functions, outbox),
    invokers: new FakeInvokers(bus),
    images: new FakeImages(),
  };
}
type Foundation = ReturnType<typeof foundation>;

function controllers({ config, store }: Parts, base: Foundation) {
  const { functions, triggers, layers, concurrency, packages, changes, invokers } = base;
  const { triggerChanges, functionChanges, concurrencyChanges } = base;
  const functionsService = new FunctionsService(
    functions,
    new FunctionCode(packages, base.images),
    new LayerBinding(layers, packages),
    changes,
    functionChanges,
    triggerChanges,
    concurrencyChanges,
    invokers,
    config,
  );
  const versions = new VersionsService(
    functions,
    functionChanges,
    triggers,
    triggerChanges,
    concurrencyChanges,
    changes,
  );
  const queries = new FunctionQueries(functions, triggers, packages, layers, concurrency, store, config);
  const triggersService = new TriggersService(triggers, functions, triggerChanges, changes, store, config);
  const layersService = new LayersService(layers, packages, changes, invokers, store, config);
  const reservations = new ConcurrencyService(concurrency, functions, concurrencyChanges, changes, config);
  const concurrencyQueries = new ConcurrencyQueries(concurrency, functions, invokers, config);
  return {
    functions: new FunctionsController(functionsService, queries, versions, packages),
    versions: new VersionsController(versions),
    layers: new LayersController(layersService, packages),
    concurrency: new ConcurrencyController(reservations, concurrencyQueries),
    account: new AccountController(new AccountQueries(functions, concurrency, config)),
    triggers: new TriggersController(triggersService, new TriggerQueries(triggers, functions, config)),
  };
}

export type TestRegistry = Awaited<ReturnType<typeof startRegistry>>;

/** The registry without its process: every class as the module wires it, on real parts. */
export async function startRegistry(environment: Record<string, string>) {
  const parts = await openParts(environment);
  const { config, logger, database, store, bus } = parts;
  const base = foundation(parts);
  const { outbox, relay, changes } = base;
  const credentials = new CredentialsRepository(database);
  return {
    config,
    database,
    store,
    bus,
    outbox,
    relay,
    changes,
    packages: base.packages,
    invokers: base.invokers,
    images: base.images,
    sweep: new PackageSweep(base.packageRows, store, config, logger),
    reconciler: new StateReconciler(
      bus,
      outbox,
      relay,
      base.functions,
      base.concurrency,
      base.triggers,
      credentials,
      logger,
    ),
    ...controllers(parts, base),
    rootCredential: (files: { masterKeyFile: string; rootCredentialsFile: string }) =>
      new RootCredential(credentials, outbox, changes, { ...config, ...files }, logger),
    /** Puts bytes where the gateway puts them. */
    async upload(bytes: Buffer): Promise<Upload> {
      const objectKey = `uploads/${randomUUID()}`;
      await store.put(config.platformBucket, objectKey, bytes);
      return { objectKey, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    },
    async objects(prefix = ''): Promise<string[]> {
      const keys: string[] = [];
      for await (const { key } of store.list(config.platformBucket, prefix)) keys.push(key);
      return keys;
    },
    async stop(): Promise<void> {
      await relay.onModuleDestroy();
      await bus.close();
      await database.close();
    },
  };
}

const caller = { appId: '1250000000', uin: '100000000001', secretId: 'AKIDtest' };

export function command(request: Record<string, unknown>, upload?: Upload): Command {
  return { requestId: randomUUID(), caller, request, ...(upload && { upload }) };
}

export function codeZip(source = 'exports.main_handler = async () => 1;'): Buffer {
  return craftZip([{ name: 'index.js', content: source }]);
}

/** A CreateFunction request; the zip travels beside it. */
export function createRequest(
  FunctionName: string,
  fields: Record<string, unknown> = {},
): Record<string, unknown> {
  const code = { Code: { ZipFile: '(streamed)' } };
  return { FunctionName, Runtime: 'Nodejs22', Handler: 'index.main_handler', ...code, ...fields };
}
