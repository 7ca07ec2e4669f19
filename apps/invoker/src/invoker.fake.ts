import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { CompactedTable, TableListener } from '@openscf/bus';
import {
  functionKey,
  quotaPool,
  topics,
  type FunctionState,
  type Grant,
  type InvocationBatch,
  type InvocationRecord,
  type InvokeCall,
  type InvokerState,
  type LogBatch,
  type LogLines,
  type Topic,
  type TriggerState,
} from '@openscf/contracts';
import { Dispatcher, type DispatchResult } from '@openscf/dispatch';
import { closingLines, openingLines } from '@openscf/scf-api';
import type { SandboxDriver } from '@openscf/sandbox-api';
import { silentLogger } from '@openscf/telemetry';
import type { HostFiles } from './code-cache/host-files.factory.js';
import type { Runtime, RuntimeCatalog } from './instance/runtime-catalog.js';
import { makeInvoker } from './invoker.factory.js';
import type { InvokerBus, InvokerSettings } from './invoker.types.js';
import type { InvokerService } from './invoker.service.js';

/** A compacted table that a test writes. */
export class TableFake<T extends object> implements CompactedTable<T> {
  readonly ready = Promise.resolve();
  readonly isReady = true;
  private readonly map = new Map<string, T>();
  private readonly listeners = new Set<TableListener<T>>();

  get size(): number {
    return this.map.size;
  }
  get(key: string): T | undefined {
    return this.map.get(key);
  }
  values(): IterableIterator<T> {
    return this.map.values();
  }
  entries(): IterableIterator<[string, T]> {
    return this.map.entries();
  }
  onChange(listener: TableListener<T>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  async waitFor(
    { key, revision }: { key: string; revision: number | null },
    timeoutMs: number,
  ): Promise<boolean> {
    const isThere = (): boolean => {
      const value = this.map.get(key);
      const found = value !== undefined && 'revision' in value ? Number(value.revision) : undefined;
      return revision === null ? value === undefined : found !== undefined && found >= revision;
    };
    if (isThere()) return true;
    return new Promise((resolve) => {
      const stop = this.onChange(() => isThere() && done(true));
      const timer = setTimeout(() => done(false), timeoutMs);
      const done = (found: boolean): void => {
        stop();
        clearTimeout(timer);
        resolve(found);
      };
    });
  }
  set(key: string, value: T | undefined): void {
    const previous = this.map.get(key);
    if (value === undefined) this.map.delete(key);
    else this.map.set(key, value);
    for (const listener of this.listeners) listener(key, value, previous);
  }
}

/** The bus in memory: tables, and what was published. */
export class BusFake implements InvokerBus {
  readonly functions = new TableFake<FunctionState>();
  readonly placements = new TableFake<Grant>();
  readonly invokers = new TableFake<InvokerState>();
  readonly triggers = new TableFake<TriggerState>();
  readonly records: InvocationRecord[] = [];
  readonly lines: LogLines[] = [];
  away = false;

  table<T>(topic: Topic<T>): CompactedTable<T> {
    const tables: Record<string, unknown> = {
      [topics.functions.name]: this.functions,
      [topics.placements.name]: this.placements,
      [topics.invokers.name]: this.invokers,
      [topics.triggers.name]: this.triggers,
    };
    return tables[topic.name] as CompactedTable<T>;
  }

  publish<T>(topic: Topic<T>, messages: readonly { key: string | null; value: T | null }[]): Promise<void> {
    if (this.away) return Promise.reject(new Error('Kafka is away'));
    for (const { key, value } of messages) {
      if (topic.name === topics.invocations.name) this.records.push(...(value as InvocationBatch));
      else if (topic.name === topics.logLines.name) this.lines.push(...(value as LogBatch));
      else if (topic.name === topics.invokers.name) {
        this.invokers.set(key ?? '', (value as InvokerState | null) ?? undefined);
      }
    }
    return Promise.resolve();
  }
}

/** An invoker without Kafka and MinIO, with a driver of the test's choice, and a caller in front of it. */
export class InvokerFake {
  private revision = 0;
  private requests = 0;

  private constructor(
    private readonly folder: string,
    private readonly mountsCode: boolean,
    readonly service: InvokerService,
    readonly bus: BusFake,
    readonly dispatcher: Dispatcher,
  ) {}

  static async start(
    driver: SandboxDriver,
    runtimes: readonly Runtime[],
    settings: Partial<InvokerSettings> = {},
    files: Partial<HostFiles> = {},
    host: RuntimeCatalog['host'] = { rootfs: '/', agent: undefined },
  ): Promise<InvokerFake> {
    const bus = new BusFake();
    const folder = await mkdtemp(join(tmpdir(), 'openscf-invoker-'));
    const logger = silentLogger();
    const service = makeInvoker(
      {
        bus,
        driver,
        runtimes: {
          names: runtimes.map(({ name }) => name),
          missing: {},
          host,
          get: (name) => runtimes.find((r) => r.name === name),
        },
        files: {
          open: () => Promise.resolve(),
          close: () => Promise.resolve(),
          packages: {
            acquire: ({ sha256 }) =>
              Promise.resolve({ directory: join(folder, sha256), release: () => undefined }),
          },
          compileCache: undefined,
          layers: { acquire: () => Promise.resolve(undefined) },
          images: {
            missing: 'no images here',
            has: () => false,
            acquire: () => Promise.reject(new Error('no images here')),
            prefetch: () => Promise.resolve(),
          },
          sharedDirectories: { mounts: () => Promise.resolve([]) },
          ...files,
        },
        readiness: { add: () => undefined },
        logger,
      },
      {
        home: folder,
        region: 'ap-guangzhou',
        appId: '1250000000',
        uin: '100000000001',
        invokerId: 'test',
        memoryMb: 1024,
        keepAliveSeconds: 600,
        warmPoolMb: 0,
        scaleOutPerMinute: 500,
        webStreamMb: 100,
        dispatchHost: '127.0.0.1',
        dispatchPort: 0,
        advertisedHost: undefined,
        ...(driver.name === 'process' && { codeRoot: folder }),
        ...settings,
      },
    );
    await service.start();
    const dispatcher = new Dispatcher({ invokers: bus.invokers, logger });
    const fake = new InvokerFake(folder, driver.name !== 'process', service, bus, dispatcher);
    fake.grant(settings.memoryMb ?? 1024);
    return fake;
  }

  grant(mb: number, expiresInMs = 60_000): void {
    const epoch = this.bus.invokers.get('test')?.epoch ?? '';
    const issuedAt = Math.max(Date.now(), (this.bus.placements.get('test')?.issuedAt ?? 0) + 1);
    this.bus.placements.set('test', {
      invokerId: 'test',
      epoch,
      granter: { id: 'test', term: 1 },
      quotas: { [quotaPool.account]: { mb, totalMb: mb, runMs: 60_000 } },
      provisioned: {},
      issuedAt,
      expiresAt: issuedAt + expiresInMs,
    });
  }

  /** Deploys files as a new revision of a function. */
  async deploy(
    name: string,
    files: Record<string, string>,
    change: Partial<FunctionState> = {},
  ): Promise<FunctionState> {
    const revision = ++this.revision;
    const sha256 = `code-${revision}`;
    for (const [path, content] of Object.entries(files)) {
      const file = resolve(this.folder, sha256, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const state: FunctionState = {
      functionId: 'lam-test0000',
      namespace: 'default',
      functionName: name,
      version: '$LATEST',
      revision,
      type: 'Event',
      status: 'Active',
      statusReason: '',
      runtime: 'Nodejs20.19',
      // Absolute for a driver that mounts nothing.
      handler: this.mountsCode ? 'index.main_handler' : join(this.folder, sha256, 'index.main_handler'),
      memoryMb: 128,
      timeoutMs: 3_000,
      initTimeoutMs: 10_000,
      environment: {},
      code: { kind: 'package', sha256, sizeBytes: 1, objectKey: `code/${sha256}` },
      asyncRetryNum: 2,
      asyncMaxAgeMs: 21_600_000,
      publicNetwork: false,
      layers: [],
      sharedDirectories: [],
      instanceConcurrency: 1,
      ...change,
    };
    this.bus.functions.set(functionKey(state), state);
    return state;
  }

  invoke(
    state: FunctionState,
    event: unknown,
    change: Partial<InvokeCall> = {},
    signal?: AbortSignal,
  ): Promise<DispatchResult> {
    const call: InvokeCall = {
      requestId: `request-${++this.requests}`,
      functionKey: functionKey(state),
      revision: state.revision,
      invocationType: 'RequestResponse',
      retryNum: 0,
      source: 'cloud-api',
      qualifier: '$LATEST',
      logTail: false,
      ...change,
    };
    const options = { timeoutMs: 30_000, ...(signal && { signal }) };
    return this.dispatcher.invoke(call, Buffer.from(JSON.stringify(event)), options);
  }

  /** Every line of a request, as the log service shows them. */
  linesOf(requestId: string): string[] {
    const printed = this.bus.lines
      .filter((part) => part.requestId === requestId)
      .flatMap((part) => part.lines.map((line) => line.text));
    const record = this.bus.records.find((each) => each.requestId === requestId);
    return record ? [...openingLines(record), ...printed, ...closingLines(record)] : printed;
  }

  async stop(): Promise<void> {
    this.dispatcher.close();
    await this.service.drain(Date.now() + 6_000);
    await rm(this.folder, { recursive: true, force: true });
  }
}
