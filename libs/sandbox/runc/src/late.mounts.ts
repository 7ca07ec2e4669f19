import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxMount } from '@openscf/sandbox-api';
import { hostCommand } from './host-command.js';

/** A shared file system of its own: sandboxes see nothing of the host's paths in it. Its folders hold no files. */
export async function openLateFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o711 });
  const options = 'mode=711,size=64k,nr_inodes=0,nosuid,nodev';
  await hostCommand('mount', ['-t', 'tmpfs', '-o', options, 'openscf', folder]);
  await hostCommand('mount', ['--make-shared', folder]);
}

/**
 * The late targets of one sandbox. Each has an empty folder on the host below a shared mount, which the sandbox holds as a
 * slave: what is mounted on the folder is mounted in the sandbox too, with the flags that it has on the host, and goes with it.
 */
export class LateMounts {
  readonly folders: string[];
  private readonly mounted: string[] = [];

  constructor(
    private readonly folder: string,
    private readonly targets: readonly string[],
  ) {
    this.folders = targets.map((_target, index) => join(folder, `${index}`));
  }

  async makeFolders(): Promise<void> {
    if (this.folders.length > 0) await mkdir(this.folder, { mode: 0o711 });
    for (const folder of this.folders) await mkdir(folder, { mode: 0o755 });
  }

  async attach(mounts: readonly SandboxMount[]): Promise<void> {
    for (const { source, target, readOnly } of mounts) {
      const index = this.targets.indexOf(target);
      await this.bind(source, join(this.folder, `${index}-flags`), this.folders[index] ?? '', readOnly);
    }
  }

  /** In any state, after the sandbox's processes are gone. */
  async remove(): Promise<void> {
    for (let point = this.mounted.at(-1); point !== undefined; point = this.mounted.at(-1)) {
      await hostCommand('umount', ['--lazy', point]);
      this.mounted.pop();
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Changes of flags do not reach slaves, so they are set on a first bind: a bind of it has them from the beginning. */
  private async bind(source: string, first: string, point: string, readOnly: boolean): Promise<void> {
    await mkdir(first);
    await hostCommand('mount', ['--bind', '-o', `nosuid,nodev,${readOnly ? 'ro' : 'rw'}`, source, first]);
    this.mounted.push(first);
    await hostCommand('mount', ['--bind', first, point]);
    this.mounted.push(point);
    await hostCommand('umount', ['--lazy', first]);
    this.mounted.splice(this.mounted.indexOf(first), 1);
  }
}
