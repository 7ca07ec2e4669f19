import { mkdir, rm } from 'node:fs/promises';
import type { CompactedTable } from '@openscf/bus';
import type { FunctionState, Grant } from '@openscf/contracts';
import type { DispatchServer } from '@openscf/dispatch';
import type { SandboxDriver } from '@openscf/sandbox-api';
import type { OnDrain, OnPrepare, Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import type { HostFiles } from './code-cache/host-files.factory.js';
import type { HeartbeatService } from './heartbeat/heartbeat.service.js';
import type { InstancePool } from './instance-pool/instance-pool.js';
import type { QuotaMeter } from './quota/quota.meter.js';
import type { Prewarmer } from './keep-alive/prewarmer.js';
import type { Prefetcher } from './code-cache/prefetcher.js';
import type { ProvisionedKeeper } from './instance-pool/provisioned.keeper.js';
import type { WarmPool } from './instance-pool/warm-pool.js';
import type { WarmPoolState } from './instance-pool/warm-pool.state.js';
import type { InstanceProcess } from './instance/instance-process.js';
import type { RuntimeCatalog } from './instance/runtime-catalog.js';
import type { Instance } from './instance/instance.js';
import type { IntakeService } from './intake/intake.service.js';
import type { RecordShipper } from './log-shipping/record.shipper.js';

export interface InvokerParts {
  readonly functions: CompactedTable<FunctionState>;
  readonly placements: CompactedTable<Grant>;
  readonly driver: SandboxDriver;
  readonly files: Pick<HostFiles, 'open' | 'close'>;
  readonly quota: QuotaMeter;
  readonly pool: InstancePool<Instance>;
  readonly provisioned: ProvisionedKeeper;
  readonly prefetcher: Prefetcher;
  readonly prewarmer: Prewarmer;
  readonly warmPool: WarmPool<InstanceProcess>;
  readonly warmState: WarmPoolState;
  readonly runtimes: Pick<RuntimeCatalog, 'get'>;
  readonly intake: IntakeService<Instance>;
  readonly server: DispatchServer;
  readonly heartbeat: HeartbeatService;
  readonly shipper: RecordShipper;
  readonly readiness: Pick<Readiness, 'add'>;
  readonly logger: Logger;
  /** Folder of the instances' channels: nothing in it outlives the process. */
  readonly runRoot: string;
}

const REAP_MS = 1_000;
/** Kept back of the time to end, for taking down what still runs and for the last records. */
const LAST_STEPS_MS = 4_000;

/**
 * Starts and ends the invoker.
 *
 * Start: leftovers of an earlier life are removed, the tables are read, calls are taken, and then it says so.
 * End: it says that it takes nothing new, finishes what runs (bounded), destroys every instance, sends the last records and
 * leaves a tombstone.
 */
export class InvokerService implements OnPrepare, OnDrain {
  private prepared: Promise<unknown> | undefined;
  private reaper: NodeJS.Timeout | undefined;
  private listening = false;

  constructor(private readonly parts: InvokerParts) {}

  /** Removes leftovers and makes what instances need of the host. */
  async onPrepare(): Promise<void> {
    const { driver, files, runRoot } = this.parts;
    this.prepared ??= Promise.all([driver.prepare(), files.open(), this.clearRunRoot(runRoot)]);
    await this.prepared;
  }

  async start(): Promise<void> {
    const {
      functions,
      placements,
      driver,
      quota,
      pool,
      provisioned,
      prefetcher,
      prewarmer,
      server,
      heartbeat,
      readiness,
    } = this.parts;
    readiness.add('tables', () => functions.isReady && placements.isReady);
    readiness.add('dispatch', () => this.listening);
    readiness.add('grant', () => quota.hasGrant);
    await Promise.all([this.onPrepare(), functions.ready, placements.ready]);
    functions.onChange((key, state) => {
      pool.retire(key, state);
      if (state !== undefined) prefetcher.deployed(state);
      provisioned.look();
    });
    const port = await server.listen();
    this.listening = true;
    this.parts.logger.info({ port, sandbox: driver.capabilities() }, 'invoker takes calls');
    heartbeat.start();
    this.reaper = setInterval(() => {
      pool.reap();
      provisioned.look();
      prewarmer.look();
    }, REAP_MS);
    if (driver.capabilities().lateMounts) {
      const { warmPool, warmState, runtimes } = this.parts;
      warmPool.open(await warmState.load((name) => runtimes.get(name) !== undefined));
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    const { intake, pool, warmPool, warmState, shipper, heartbeat, server, driver, files, runRoot } =
      this.parts;
    const stopped = intake.stop(deadlineMs - LAST_STEPS_MS);
    await heartbeat.send();
    await stopped;
    clearInterval(this.reaper);
    await warmState.save(warmPool.recentKeys);
    const warmClosed = warmPool.close();
    await pool.close();
    await server.close();
    await Promise.all([
      shipper.stop(deadlineMs - LAST_STEPS_MS / 4),
      heartbeat.leave(),
      driver.close(),
      warmClosed,
    ]);
    await Promise.all([files.close(), rm(runRoot, { recursive: true, force: true })]);
  }

  private async clearRunRoot(runRoot: string): Promise<void> {
    await rm(runRoot, { recursive: true, force: true });
    await mkdir(runRoot, { recursive: true, mode: 0o711 });
  }
}
