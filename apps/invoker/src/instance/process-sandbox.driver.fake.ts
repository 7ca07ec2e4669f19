import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Sandbox, SandboxDriver, SandboxExit, SandboxSpec } from '@openscf/sandbox-api';

/** Runs the command as a plain process, isolated from nothing: for tests of what stands above the sandbox. */
export class ProcessSandboxDriver implements SandboxDriver {
  readonly name = 'process';
  readonly living = new Set<Sandbox>();
  created = 0;

  capabilities(): ReturnType<SandboxDriver['capabilities']> {
    return {
      userNamespace: false,
      publicEgress: false,
      hostAddressesHidden: false,
      lateMounts: false,
      sharedMounts: false,
      typicalStartMs: 50,
    };
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  recover(): Promise<void> {
    return Promise.resolve();
  }

  forgetRoot(): Promise<void> {
    return Promise.resolve();
  }

  create(spec: SandboxSpec): Promise<Sandbox> {
    this.created++;
    const command = [...spec.command, join(spec.runDirectory, 'channel.sock')];
    // One pipe for both streams, as the FIFO of a real sandbox.
    const child = spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', ...command], {
      env: { ...spec.env, PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exited = new Promise<SandboxExit>((resolve) =>
      child.on('exit', (exitCode, signal) => {
        this.living.delete(sandbox);
        resolve(
          signal === null ? { exitCode: exitCode ?? 0, oomKilled: false } : { signal, oomKilled: false },
        );
      }),
    );
    const sandbox: Sandbox = {
      id: spec.id,
      output: child.stdout,
      exited,
      usage: () => Promise.resolve({ memoryBytes: 30_000_000, memoryPeakBytes: 30_000_000, cpuMs: 1 }),
      setLimits: () => Promise.resolve(),
      attach: () => Promise.reject(new Error('a plain process has no mounts of its own')),
      destroy: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
    this.living.add(sandbox);
    return Promise.resolve(sandbox);
  }

  async close(): Promise<void> {
    await Promise.all([...this.living].map((sandbox) => sandbox.destroy()));
  }
}
