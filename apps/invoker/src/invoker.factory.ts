import { randomUUID } from 'node:crypto';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompactedTable } from '@openscf/bus';
import { topics, type FunctionState, type Topic } from '@openscf/contracts';
import { DispatchServer } from '@openscf/dispatch';
import type { SandboxDriver } from '@openscf/sandbox-api';
import type { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import { FunctionFiles } from './code-cache/function-files.js';
import type { HostFiles } from './code-cache/host-files.factory.js';
import { Prefetcher } from './code-cache/prefetcher.js';
import { ExecutionService } from './execution/execution.service.js';
import { MAX_RESULT_BYTES } from './execution/outcome.policy.js';
import { isAmongFirst } from './heartbeat/host-share.policy.js';
import { HeartbeatService } from './heartbeat/heartbeat.service.js';
import { CUSTOM_IMAGE, withImages } from './image-store/image-availability.policy.js';
import { InstancePool } from './instance-pool/instance-pool.js';
import { ProvisionedKeeper } from './instance-pool/provisioned.keeper.js';
import { ScaleOutRate } from './instance-pool/scale-out.rate.js';
import { WarmPool } from './instance-pool/warm-pool.js';
import { WarmPoolState } from './instance-pool/warm-pool.state.js';
import { InstanceFactory } from './instance/instance.factory.js';
import type { Instance } from './instance/instance.js';
import type { InstanceProcess } from './instance/instance-process.js';
import type { InstancePlace } from './instance/instance-plan.factory.js';
import type { RuntimeCatalog } from './instance/runtime-catalog.js';
import { LearnedKeepAlive } from './keep-alive/learned-keep-alive.js';
import { Prewarmer } from './keep-alive/prewarmer.js';
import { TimerForecast } from './keep-alive/timer-forecast.js';
import { FunctionLookup } from './intake/function.lookup.js';
import { IntakeService } from './intake/intake.service.js';
import { sandboxOwner, type InvokerConfig } from './invoker.config.js';
import { InvokerService } from './invoker.service.js';
import { GrantSource } from './quota/grant.source.js';
import { QuotaMeter } from './quota/quota.meter.js';
import { WebExecutionService } from './web/web-execution.service.js';
import { RecordShipper, type RecordBus } from './log-shipping/record.shipper.js';

const MB = 1024 * 1024;
/** A timer's function is started so long before its tick: longer than most starts take. */
const TIMER_AHEAD_MS = 3_000;
/** Languages whose bootstrap keeps what it compiles. */
const COMPILED_LANGUAGES: ReadonlySet<string> = new Set(['nodejs', 'python']);

/** What the invoker uses of the bus. */
export interface InvokerBus extends RecordBus {
  table<T>(topic: Topic<T>): CompactedTable<T>;
}

/** What is made outside: the host's and the platform's parts. */
export interface InvokerSurroundings {
  readonly bus: InvokerBus;
  readonly driver: SandboxDriver;
  readonly runtimes: Pick<RuntimeCatalog, 'names' | 'missing' | 'get' | 'host'>;
  readonly files: HostFiles;
  readonly readiness: Pick<Readiness, 'add'>;
  readonly logger: Logger;
}

export type InvokerSettings = Pick<
  InvokerConfig,
  | 'home'
  | 'region'
  | 'appId'
  | 'uin'
  | 'invokerId'
  | 'memoryMb'
  | 'keepAliveSeconds'
  | 'warmPoolMb'
  | 'scaleOutPerMinute'
  | 'webStreamMb'
  | 'dispatchHost'
  | 'dispatchPort'
  | 'advertisedHost'
> &
  Pick<InstancePlace, 'codeRoot'>;

/** Puts the invoker's own parts together. */
export function makeInvoker(surroundings: InvokerSurroundings, settings: InvokerSettings): InvokerService {
  const { bus, driver, runtimes, files, logger } = surroundings;
  const { invokerId, memoryMb } = settings;
  const epoch = randomUUID();
  const available = availableOn(surroundings);
  const functions = bus.table(topics.functions);
  const placements = bus.table(topics.placements);
  const runRoot = channelRoot(settings);
  // Made with the table: it must see every record.
  const grants = new GrantSource(placements, invokerId, () => heartbeat.change());
  const quota = new QuotaMeter({ grant: () => grants.current, epoch, onNews: () => heartbeat.change() });
  const shipper = new RecordShipper(bus, logger);
  const timers = new TimerForecast(bus.table(topics.triggers));
  const keepAlive = new LearnedKeepAlive({
    keepMs: settings.keepAliveSeconds * 1_000,
    nextTick: (key, now) => {
      // Timers go by the wall clock.
      const offset = Date.now() - performance.now();
      const tick = timers.nextTick(key, now + offset);
      return tick === undefined ? undefined : tick - offset;
    },
  });
  const pool: InstancePool<Instance> = new InstancePool({
    memoryMb,
    quota,
    keepAlive,
    rate: new ScaleOutRate(settings.scaleOutPerMinute),
    bootsAtOnce: availableParallelism() + 1,
    log: (fields, message) => logger.info(fields, message),
    create: (_functionKey, state) => instances.create(state),
  });
  const functionFiles = new FunctionFiles({
    ...files,
    runtimeVersion: ({ type, code, runtime: name }) => {
      const runtime = type === 'Event' && code.kind === 'package' ? runtimes.get(name) : undefined;
      return runtime && COMPILED_LANGUAGES.has(runtime.language) ? `${name} ${runtime.version}` : undefined;
    },
  });
  const instances: InstanceFactory = new InstanceFactory({
    driver,
    runtimes,
    place: { ...settings, runRoot, compileCache: files.compileCache !== undefined },
    files: (state) => functionFiles.acquire(state),
    takeWarm: (key) => warmPool.take(key),
    onLost: (instance, exit) => {
      logger.info({ instance: instance.id, exit }, 'idle instance ended by itself');
      pool.lost(instance);
    },
  });
  const warmState = new WarmPoolState(join(settings.home, 'invoker', 'warm-pool.json'));
  const warmPool: WarmPool<InstanceProcess> = new WarmPool<InstanceProcess>({
    maxMb: settings.warmPoolMb,
    freeMb: () => memoryMb - pool.usedMemoryMb,
    isQuiet: () => pool.isQuiet,
    start: (key) => instances.startWarm(key),
    log: (fields, message) => logger.warn(fields, message),
  });
  pool.lendMemory(warmPool);
  const invokers = bus.table(topics.invokers);
  const isOurs = (key: string, hosts: number): boolean =>
    isAmongFirst(key, hosts, invokerId, invokers.values(), Date.now());
  const prefetcher = new Prefetcher({
    isOurs,
    prefetch: (state) => functionFiles.prefetch(state),
    log: (fields, message) => logger.info(fields, message),
  });
  const provisioned = new ProvisionedKeeper({
    wanted: () => quota.provisioned,
    find: (functionKey) => functions.get(functionKey),
    missing: available.lack,
    pool,
    onChange: () => heartbeat.change(),
  });
  const prewarmer = new Prewarmer({
    due: () => [...keepAlive.due(performance.now()), ...timers.ticking(Date.now(), TIMER_AHEAD_MS)],
    find: (functionKey) => functions.get(functionKey),
    missing: available.lack,
    isOurs: (functionKey) => isOurs(functionKey, 1),
    pool,
  });
  const execution = new ExecutionService({
    invokerId,
    appId: settings.appId,
    ship: (record, lines) => shipper.ship(record, lines),
    stored: (mostMs) => shipper.stored(mostMs),
  });
  const web = new WebExecutionService({
    place: settings,
    limits: { declaredBytes: MAX_RESULT_BYTES, streamedBytes: settings.webStreamMb * MB },
    record: (...attempt) => execution.record(...attempt),
  });
  const intake = new IntakeService<Instance>({
    lookup: new FunctionLookup(functions),
    pool,
    execution,
    web,
    missing: available.lack,
    memoryMb,
  });
  const server = new DispatchServer({
    host: settings.dispatchHost,
    port: settings.dispatchPort,
    handle: (call, event, caller) => intake.handle(call, event, caller),
    handleWeb: (exchange) => intake.handleWeb(exchange),
    logger,
  });
  const heartbeat: HeartbeatService = new HeartbeatService({
    bus,
    logger,
    state: () => {
      return {
        invokerId,
        epoch,
        address: `${settings.advertisedHost ?? settings.dispatchHost}:${server.port}`,
        accepting: intake.isAccepting,
        memoryMb,
        usedMemoryMb: pool.usedMemoryMb,
        runtimes: available.names,
        missingRuntimes: available.missing,
        provisioned: pool.provisioned,
        ...quota.report(),
      };
    },
  });
  const own = {
    functions,
    placements,
    quota,
    pool,
    provisioned,
    prewarmer,
    prefetcher,
    warmPool,
    warmState,
    intake,
    server,
    heartbeat,
    shipper,
    runRoot,
  };
  return new InvokerService({ ...surroundings, ...own });
}

/** Runtimes and images that this host can start, and why it cannot start others. */
function availableOn({ runtimes, files }: InvokerSurroundings): {
  readonly names: string[];
  readonly missing: Readonly<Record<string, string>>;
  readonly lack: (state: FunctionState) => string | undefined;
} {
  const { names, missing } = withImages(runtimes, files.images, runtimes.host.agent);
  const has = new Set(names);
  const lack = ({ code, runtime }: FunctionState): string | undefined => {
    const name = code.kind === 'image' ? CUSTOM_IMAGE : runtime;
    if (has.has(name)) return undefined;
    const why = missing[name];
    return `the invoker does not have the runtime ${name}${why === undefined ? '' : `: ${why}`}`;
  };
  return { names, missing, lack };
}

/** Short, because the path of a unix socket is at most 107 bytes long. */
function channelRoot(settings: InvokerSettings): string {
  const base = process.getuid?.() === 0 ? '/run' : tmpdir();
  return join(base, `openscf-io-${sandboxOwner(settings)}`);
}
