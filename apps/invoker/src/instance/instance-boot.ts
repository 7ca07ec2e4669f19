import type { ColdReason, ColdStart } from '@openscf/contracts';
import type { SandboxDriver } from '@openscf/sandbox-api';
import { ImageError } from '@openscf/oci';
import { InstanceProcess } from './instance-process.js';
import type { InstancePlan } from './instance-plan.factory.js';
import type { BootFailure, BootTurn, InstanceFiles } from './instance.types.js';

/** From a started sandbox to the bootstrap's hello. Generous: it holds for a host that is short of everything. */
const RUNTIME_START_MS = 30_000;

export interface BootDependencies {
  readonly driver: Pick<SandboxDriver, 'create'>;
  /** Makes ready on the host what the function needs. */
  readonly files: (plan: InstancePlan) => Promise<InstanceFiles>;
  /** Does that take long, and nothing but waiting? */
  readonly mustPull: (plan: InstancePlan) => boolean;
  /** A started process of the warm pool that fits, which is the caller's from then on. */
  readonly takeWarm: (plan: InstancePlan) => InstanceProcess | undefined;
}

/** What the boot tells as it goes on. */
export interface BootEvents {
  /** Files are held from now on, until the instance is gone. @returns false when it is going already */
  readonly onFiles: (files: InstanceFiles) => boolean;
  /** This process is the instance's from now on. */
  readonly onProcess: (process: InstanceProcess) => void;
  /** The runtime is up; what follows is the function's own initialization. */
  readonly onRuntime: () => void;
}

/** The steps of a cold start, and how long each takes: code, sandbox, runtime; the rest is the function's initialization. */
export class InstanceBoot {
  private readonly startedAt = performance.now();
  private since = this.startedAt;
  private readonly took = { code: 0, sandbox: 0, runtime: 0, init: 0 };
  private pooled = false;

  constructor(
    private readonly plan: InstancePlan,
    private readonly dependencies: BootDependencies,
    private readonly events: BootEvents,
  ) {}

  /** @returns why it failed, or undefined when `ready` was resolved in time */
  async run(ready: Promise<void>, turn: BootTurn): Promise<BootFailure | undefined> {
    try {
      const files = await this.getFiles(turn);
      if (!this.events.onFiles(files)) {
        files.release();
        return { kind: 'destroyed' };
      }
      this.took.code = this.lap();
      const started = (await this.startWarm(files)) || (await this.startCold(files));
      if (!started)
        return platformFailure(`the runtime did not start within ${RUNTIME_START_MS / 1000} seconds`);
      const isReady = await within(ready, this.plan.initTimeoutMs);
      this.took.init = this.lap();
      return isReady ? undefined : { kind: 'init-timed-out' };
    } catch (error) {
      return failureOf(error);
    }
  }

  /** Where the time has gone until now. */
  coldStart(reason: ColdReason): ColdStart {
    return {
      reason,
      pooled: this.pooled,
      totalMs: performance.now() - this.startedAt,
      pullCodeMs: this.took.code,
      sandboxMs: this.took.sandbox,
      initRuntimeMs: this.took.runtime,
      initFunctionMs: this.took.init,
    };
  }

  private getFiles(turn: BootTurn): Promise<InstanceFiles> {
    const { mustPull, files } = this.dependencies;
    return mustPull(this.plan) ? turn.lendWhile(files(this.plan)) : files(this.plan);
  }

  /** @returns false when there is no pooled process, or it could not be made this function's: then nothing has happened */
  private async startWarm(files: InstanceFiles): Promise<boolean> {
    const process = this.dependencies.takeWarm(this.plan);
    if (process === undefined) return false;
    const { memoryMb, cpuShares } = this.plan.limits;
    try {
      await process.specialise(files.mounts, { memoryMb, cpuShares });
    } catch {
      await process.destroy();
      return false;
    }
    this.pooled = true;
    this.took.sandbox = this.lap();
    this.events.onProcess(process);
    this.events.onRuntime();
    process.init(this.plan.init(files));
    return true;
  }

  private async startCold(files: InstanceFiles): Promise<boolean> {
    const process = new InstanceProcess(this.plan.id, this.plan.runDirectory, this.dependencies.driver);
    this.events.onProcess(process);
    process.init(this.plan.init(files));
    await process.start(this.plan.sandbox(files));
    this.took.sandbox = this.lap();
    if (!(await within(process.hello, RUNTIME_START_MS))) return false;
    this.took.runtime = this.lap();
    this.events.onRuntime();
    return true;
  }

  private lap(): number {
    const now = performance.now();
    const elapsed = now - this.since;
    this.since = now;
    return elapsed;
  }
}

function failureOf(error: unknown): BootFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ImageError)) return platformFailure(message);
  return { kind: 'no-image', late: error.reason === 'timed-out', message };
}

function platformFailure(message: string): BootFailure {
  return { kind: 'platform', message };
}

/** @returns false when the time was over first */
async function within(done: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([done.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
