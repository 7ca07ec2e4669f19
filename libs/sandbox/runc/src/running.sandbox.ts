import type { Readable } from 'node:stream';
import {
  exitOfCode,
  SandboxError,
  type Sandbox,
  type SandboxExit,
  type SandboxLimits,
  type SandboxMount,
  type SandboxUsage,
} from '@openscf/sandbox-api';
import { killProcess, type Cgroup } from './cgroup.js';
import type { LateMounts } from './late.mounts.js';

/** What the driver gives a sandbox that runs. */
export interface RunningParts {
  /** Pid 1 of the instance, as the host counts. */
  pid: number;
  cgroup: Cgroup;
  late: LateMounts;
  output: Readable;
  /** The exit code of pid 1, or undefined when it was killed; resolves when pid 1 has ended. */
  ended: Promise<number | undefined>;
  /** Removes what is left after the last process: cgroup, bundle, FIFO; gives the network back. */
  release: () => Promise<void>;
}

/**
 * States: running → ended → destroyed.
 * When pid 1 dies, the kernel kills the rest of the sandbox.
 */
export class RunningSandbox implements Sandbox {
  readonly output: Readable;
  readonly exited: Promise<SandboxExit>;
  private ended = false;
  private peakBytes = 0;

  constructor(
    readonly id: string,
    private readonly parts: RunningParts,
  ) {
    this.output = parts.output;
    this.exited = this.watch();
  }

  async usage(): Promise<SandboxUsage> {
    const reading = await this.parts.cgroup.read().catch((cause: unknown) => {
      throw new SandboxError('sandbox-gone', `Sandbox ${this.id} has ended`, { cause });
    });
    this.peakBytes = Math.max(this.peakBytes, reading.memoryBytes);
    return { ...reading, memoryPeakBytes: this.peakBytes };
  }

  async setLimits(limits: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>): Promise<void> {
    await this.parts.cgroup.setLimits(limits);
  }

  async attach(mounts: readonly SandboxMount[]): Promise<void> {
    await this.parts.late.attach(mounts);
  }

  async destroy(): Promise<void> {
    // A pid is only used while its process is known to live: after `ended` it may belong to another.
    if (!this.ended) killProcess(this.parts.pid);
    await this.exited;
    await this.parts.release();
    this.output.destroy();
  }

  private async watch(): Promise<SandboxExit> {
    const code = await this.parts.ended;
    this.ended = true;
    const kills = await this.parts.cgroup.oomKills().catch(() => 0);
    return exitOfCode(code, kills > 0);
  }
}
