import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics, type FunctionState } from '@openscf/contracts';
import { DispatchServer, hostId } from '@openscf/dispatch';
import { ExecutionService } from './execution/execution.service.js';
import { MAX_RESULT_BYTES } from './execution/outcome.policy.js';
import { HeartbeatService } from './heartbeat/heartbeat.service.js';
import { CUSTOM_IMAGE, withImages } from './image-store/image-availability.policy.js';
import type { Instance } from './instance/instance.js';
import { FunctionLookup } from './intake/function.lookup.js';
import { IntakeService } from './intake/intake.service.js';
import { sandboxOwner } from './invoker.config.js';
import type { InvokerSettings, InvokerSurroundings } from './invoker.types.js';
import { InvokerService } from './invoker.service.js';
import { GrantSource } from './quota/grant.source.js';
import { QuotaMeter } from './quota/quota.meter.js';
import { WebExecutionService } from './web/web-execution.service.js';
import { makeUpkeep } from './upkeep.factory.js';
import { RecordShipper } from './log-shipping/record.shipper.js';

const MB = 1024 * 1024;

/** Puts the invoker's own parts together. */
export function makeInvoker(surroundings: InvokerSurroundings, settings: InvokerSettings): InvokerService {
  const { bus, logger } = surroundings;
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
  const upkeep = makeUpkeep(surroundings, settings, {
    runRoot,
    functions,
    quota,
    lack: available.lack,
    onChange: () => heartbeat.change(),
  });
  const { pool } = upkeep;
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
  const local = { hostId: hostId(), path: join(runRoot, 'dispatch.sock') };
  const server = new DispatchServer({
    host: settings.dispatchHost,
    port: settings.dispatchPort,
    localPath: local.path,
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
        local,
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
    ...upkeep,
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
