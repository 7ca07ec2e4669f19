import { randomUUID } from 'node:crypto';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompactedTable } from '@openscf/bus';
import { topics, type Topic } from '@openscf/contracts';
import { DispatchServer } from '@openscf/dispatch';
import type { SandboxDriver } from '@openscf/sandbox-api';
import type { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import type { CodeCache } from './code-cache/code-cache.js';
import { ExecutionService } from './execution/execution.service.js';
import { HeartbeatService } from './heartbeat/heartbeat.service.js';
import { InstancePool } from './instance-pool/instance-pool.js';
import { Instance } from './instance/instance.js';
import { makeInstancePlan, type InstancePlace, type InstancePlan } from './instance/instance-plan.factory.js';
import type { Runtime } from './instance/runtime-catalog.js';
import { FunctionLookup } from './intake/function.lookup.js';
import { IntakeService } from './intake/intake.service.js';
import { sandboxOwner, type InvokerConfig } from './invoker.config.js';
import { InvokerService } from './invoker.service.js';
import { GrantSource } from './quota/grant.source.js';
import { QuotaMeter } from './quota/quota.meter.js';
import { RecordShipper, type RecordBus } from './log-shipping/record.shipper.js';

/** What the invoker uses of the bus. */
export interface InvokerBus extends RecordBus {
  table<T>(topic: Topic<T>): CompactedTable<T>;
}

/** What is made outside: the host's and the platform's parts. */
export interface InvokerSurroundings {
  readonly bus: InvokerBus;
  readonly driver: SandboxDriver;
  readonly runtimes: { readonly names: string[]; get(name: string): Runtime | undefined };
  readonly codeCache: Pick<CodeCache, 'open' | 'acquire'>;
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
  | 'dispatchHost'
  | 'dispatchPort'
  | 'advertisedHost'
> &
  Pick<InstancePlace, 'codeRoot'>;

/** Puts the invoker's own parts together. */
export function makeInvoker(surroundings: InvokerSurroundings, settings: InvokerSettings): InvokerService {
  const { bus, driver, runtimes, codeCache, logger } = surroundings;
  const { invokerId, memoryMb } = settings;
  const epoch = randomUUID();
  const functions = bus.table(topics.functions);
  const placements = bus.table(topics.placements);
  const runRoot = channelRoot(settings);
  // Made with the table: it must see every record.
  const grants = new GrantSource(placements, invokerId, () => heartbeat.change());
  const quota = new QuotaMeter({ grant: () => grants.current, epoch, onOver: () => heartbeat.change() });
  const shipper = new RecordShipper(bus, logger);
  const pool: InstancePool<Instance> = new InstancePool({
    memoryMb,
    keepAliveMs: settings.keepAliveSeconds * 1_000,
    bootsAtOnce: availableParallelism() + 1,
    log: (fields, message) => logger.info(fields, message),
    create: (_functionKey, state) => {
      const runtime = runtimes.get(state.runtime);
      // Intake has asked for the runtime before it asked for an instance.
      if (runtime === undefined) throw new Error(`no runtime ${state.runtime}`);
      return new Instance(makeInstancePlan(state, runtime, { ...settings, runRoot }), {
        driver,
        code: ({ state: { code } }: InstancePlan) => {
          if (code.kind === 'package') return codeCache.acquire(code);
          return Promise.reject(new Error('this host cannot run images yet'));
        },
        onLost: (instance, exit) => {
          logger.info({ instance: instance.id, exit }, 'idle instance ended by itself');
          pool.lost(instance);
        },
      });
    },
  });
  const execution = new ExecutionService({
    invokerId,
    appId: settings.appId,
    ship: (record, lines) => shipper.ship(record, lines),
    stored: (mostMs) => shipper.stored(mostMs),
  });
  const intake = new IntakeService<Instance>({
    lookup: new FunctionLookup(functions),
    quota,
    pool,
    execution,
    hasRuntime: (name) => runtimes.get(name) !== undefined,
    memoryMb,
  });
  const server = new DispatchServer({
    host: settings.dispatchHost,
    port: settings.dispatchPort,
    handle: (call, event, caller) => intake.handle(call, event, caller),
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
        runtimes: runtimes.names,
        missingRuntimes: {},
        provisioned: {},
        ...quota.report(),
      };
    },
  });
  const own = { functions, placements, quota, pool, intake, server, heartbeat, shipper, runRoot };
  return new InvokerService({ ...surroundings, ...own });
}

/** Short, because the path of a unix socket is at most 107 bytes long. */
function channelRoot(settings: InvokerSettings): string {
  const base = process.getuid?.() === 0 ? '/run' : tmpdir();
  return join(base, `openscf-io-${sandboxOwner(settings)}`);
}
