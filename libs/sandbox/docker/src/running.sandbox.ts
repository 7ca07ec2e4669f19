import type { Readable } from 'node:stream';
import {
  exitOfCode,
  SandboxError,
  type Sandbox,
  type SandboxExit,
  type SandboxLimits,
  type SandboxUsage,
} from '@openscf/sandbox-api';
import type Docker from 'dockerode';
import { resourcesOf } from './container.config.js';
import type { ExitWatch } from './exit.watch.js';
import { ignoreGone } from './recovery.js';

/** What the driver gives a sandbox that runs. */
export interface RunningParts {
  container: Docker.Container;
  output: Readable;
  /** Begun before the start, so that no end is missed. */
  exit: ExitWatch;
  /** Removes what is left after the container: gives the network back. */
  release: () => Promise<void>;
}

/** What is killed has ended at once; an engine that does not tell so by then has lost sight of it. */
const END_AFTER_KILL_MS = 10_000;

/** States: running → ended → destroyed. */
export class RunningSandbox implements Sandbox {
  readonly output: Readable;
  readonly exited: Promise<SandboxExit>;
  private peakBytes = 0;

  constructor(
    readonly id: string,
    private readonly parts: RunningParts,
  ) {
    this.output = parts.output;
    this.exited = this.watch();
  }

  async usage(): Promise<SandboxUsage> {
    const stats = await this.parts.container.stats({ stream: false, 'one-shot': true });
    const memory = stats.memory_stats.stats as unknown as Record<string, number> | undefined;
    if (!memory) throw new SandboxError('sandbox-gone', `Sandbox ${this.id} has ended`);
    // Version 1 of cgroups calls anonymous memory rss; cached pages of shared files are not the instance's own.
    const memoryBytes = (memory['anon'] ?? memory['rss'] ?? 0) + (memory['shmem'] ?? 0);
    this.peakBytes = Math.max(this.peakBytes, memoryBytes);
    const cpuMs = stats.cpu_stats.cpu_usage.total_usage / 1e6;
    return { memoryBytes, memoryPeakBytes: this.peakBytes, cpuMs };
  }

  async setLimits(limits: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>): Promise<void> {
    await this.parts.container.update(resourcesOf(limits));
  }

  /** Never asked for by SafeSandboxDriver, as `lateMounts` is false. */
  attach(): Promise<void> {
    return Promise.reject(new SandboxError('not-supported', 'The Docker engine mounts nothing late'));
  }

  async destroy(): Promise<void> {
    await this.parts.container.kill({ signal: 'SIGKILL' }).catch(ignoreGone);
    // The engine forgets how a container ended when it is removed.
    const lost = setTimeout(() => this.parts.exit.stop(), END_AFTER_KILL_MS);
    await this.exited.finally(() => clearTimeout(lost));
    await this.parts.container.remove({ force: true, v: true }).catch(ignoreGone);
    await this.parts.release();
    this.output.destroy();
  }

  private async watch(): Promise<SandboxExit> {
    const code = await this.parts.exit.code();
    const state = await this.parts.container.inspect().then(
      (found) => found.State,
      () => undefined,
    );
    return exitOfCode(code, state?.OOMKilled ?? false);
  }
}
