import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxMount } from '@openscf/sandbox-api';
import type { Host } from './host.types.js';

/** A shared file system of its own: sandboxes see nothing of the host's paths in it. Its folders hold no files. */
export async function openLateFolder(host: Host, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o711 });
  const options = 'mode=711,size=64k,nr_inodes=0,nosuid,nodev';
  await host.command('mount', ['-t', 'tmpfs', '-o', options, 'openscf', folder]);
  await host.command('mount', ['--make-shared', folder]);
}

/**
 * The late targets of one sandbox. Each has an empty folder on the host below a shared mount, which the sandbox holds as a
 * slave: what is mounted on the folder is mounted in the sandbox too, with the flags that it has on the host, and goes with it.
 */
export class LateMounts {
  readonly folders: string[];
  private readonly mounted: string[] = [];

  constructor(
    private readonly host: Host,
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
      const point = this.folders[this.targets.indexOf(target)] ?? '';
      this.mounted.push(point);
      await this.host.bind({ source, target: point, readOnly });
    }
  }

  /** In any state, after the sandbox's processes are gone. */
  async remove(): Promise<void> {
    for (let point = this.mounted.at(-1); point !== undefined; point = this.mounted.at(-1)) {
      await this.host.unmount(point);
      this.mounted.pop();
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
