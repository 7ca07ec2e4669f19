import { mkdir, readFile } from 'node:fs/promises';
import type { SandboxMount } from '@openscf/sandbox-api';
import { killAndRemoveCgroup } from './cgroup.js';
import { hostCommand } from './host-command.js';
import type { Host } from './host.types.js';

/** Starts the host's own programs. Each start stops the event loop for some milliseconds, the longer the bigger this process is. */
export class SpawningHost implements Host {
  command(program: string, args: readonly string[], input = ''): Promise<string> {
    return hostCommand(program, args, input);
  }

  /** Changes of flags do not reach slaves, so they are set on a first bind: a bind of it has them from the beginning. */
  async bind({ source, target, readOnly }: SandboxMount): Promise<void> {
    const first = `${target}-flags`;
    await mkdir(first);
    await hostCommand('mount', ['--bind', '-o', `nosuid,nodev,${readOnly ? 'ro' : 'rw'}`, source, first]);
    try {
      await hostCommand('mount', ['--bind', first, target]);
    } finally {
      await hostCommand('umount', ['--lazy', first]);
    }
  }

  async unmount(target: string): Promise<void> {
    const points = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[4]);
    if (points.includes(target)) await hostCommand('umount', ['--lazy', target]);
  }

  removeCgroup(path: string): Promise<void> {
    return killAndRemoveCgroup(path);
  }
}
