import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CompactedTable } from '@openscf/bus';
import { topics, type FunctionState } from '@openscf/contracts';
import { FunctionFiles } from './code-cache/function-files.js';
import { Prefetcher } from './code-cache/prefetcher.js';
import { isAmongFirst } from './heartbeat/host-share.policy.js';
import { InstancePool } from './instance-pool/instance-pool.js';
import { ProcessorRoom } from './instance-pool/processor-room.js';
import { ProvisionedKeeper } from './instance-pool/provisioned.keeper.js';
import { ScaleOutRate } from './instance-pool/scale-out.rate.js';
import { WarmPool } from './instance-pool/warm-pool.js';
import { WarmPoolState } from './instance-pool/warm-pool.state.js';
import { InstanceFactory } from './instance/instance.factory.js';
import type { Instance } from './instance/instance.js';
import type { InstanceProcess } from './instance/instance-process.js';
import type { InvokerSettings, InvokerSurroundings } from './invoker.types.js';
import { LearnedKeepAlive } from './keep-alive/learned-keep-alive.js';
import { Prewarmer } from './keep-alive/prewarmer.js';
import { TimerForecast } from './keep-alive/timer-forecast.js';
import type { QuotaMeter } from './quota/quota.meter.js';

/** A timer's function is started so long before its tick: longer than most starts take. */
const TIMER_AHEAD_MS = 3_000;
/** Languages whose bootstrap keeps what it compiles. */
const COMPILED_LANGUAGES: ReadonlySet<string> = new Set(['nodejs', 'python']);

export interface UpkeepParts {
  /** Host folder that holds one folder per instance. */
  readonly runRoot: string;
  readonly functions: CompactedTable<FunctionState>;
  readonly quota: QuotaMeter;
  /** Why this host cannot run a function, or undefined. */
  readonly lack: (state: FunctionState) => string | undefined;
  /** What the heartbeat tells has changed. */
  readonly onChange: () => void;
}

/** The instances of a host, and what is kept ready for those to come. */
export interface Upkeep {
  readonly pool: InstancePool<Instance>;
  readonly warmPool: WarmPool<InstanceProcess>;
  readonly warmState: WarmPoolState;
  readonly provisioned: ProvisionedKeeper;
  readonly prewarmer: Prewarmer;
  readonly prefetcher: Prefetcher;
}

export function makeUpkeep(
  surroundings: InvokerSurroundings,
  settings: InvokerSettings,
  parts: UpkeepParts,
): Upkeep {
  const { bus, driver, runtimes, files, logger } = surroundings;
  const { memoryMb, invokerId } = settings;
  const { functions, quota, lack, onChange, runRoot } = parts;
  const timers = new TimerForecast(bus.table(topics.triggers));
  const keepAlive = makeKeepAlive(settings, timers);
  const pool: InstancePool<Instance> = new InstancePool({
    memoryMb,
    quota,
    keepAlive,
    rate: new ScaleOutRate(settings.scaleOutPerMinute),
    bootsAtOnce: availableParallelism() + 1,
    processors: new ProcessorRoom(),
    log: (fields, message) => logger.info(fields, message),
    create: (_functionKey, state) => instances.create(state),
  });
  const functionFiles = makeFunctionFiles(surroundings);
  const instances: InstanceFactory = new InstanceFactory({
    driver,
    runtimes,
    place: { ...settings, runRoot, compileCache: files.compileCache !== undefined },
    files: (state) => functionFiles.acquire(state),
    mustPull: (state) => functionFiles.mustPull(state),
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
    missing: lack,
    pool,
    onChange,
  });
  const prewarmer = new Prewarmer({
    due: () => [
      ...timers.ticking(Date.now(), TIMER_AHEAD_MS).map((functionKey) => ({ functionKey, isKnown: true })),
      ...keepAlive.due(performance.now()),
    ],
    find: (functionKey) => functions.get(functionKey),
    missing: lack,
    isOurs: (functionKey) => isOurs(functionKey, 1),
    pool,
  });
  return { pool, warmPool, warmState, provisioned, prewarmer, prefetcher };
}

function makeKeepAlive({ keepAliveSeconds }: InvokerSettings, timers: TimerForecast): LearnedKeepAlive {
  return new LearnedKeepAlive({
    keepMs: keepAliveSeconds * 1_000,
    nextTick: (key, now) => {
      // Timers go by the wall clock.
      const offset = Date.now() - performance.now();
      const tick = timers.nextTick(key, now + offset);
      return tick === undefined ? undefined : tick - offset;
    },
  });
}

function makeFunctionFiles({ files, runtimes }: InvokerSurroundings): FunctionFiles {
  return new FunctionFiles({
    ...files,
    runtimeVersion: ({ type, code, runtime: name }) => {
      const runtime = type === 'Event' && code.kind === 'package' ? runtimes.get(name) : undefined;
      return runtime && COMPILED_LANGUAGES.has(runtime.language) ? `${name} ${runtime.version}` : undefined;
    },
  });
}
