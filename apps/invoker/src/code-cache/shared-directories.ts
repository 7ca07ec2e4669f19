import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { join, normalize, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError, type SharedDirectory } from '@openscf/contracts';
import type { SandboxMount } from '@openscf/sandbox-api';
import type { SharedFileSystem } from './shared-file-systems.config.js';

export interface SharedDirectoriesOptions {
  readonly systems: ReadonlyMap<string, SharedFileSystem>;
  /** Absolute folder for the places at which exports are mounted, and for empty mount points. */
  readonly root: string;
}

/** Where instances see shared directories: folders below it. */
const MOUNT_ROOT = '/mnt';
/** A server that does not answer must not hold up a start for ever. */
const MOUNT_TIMEOUT_MS = 20_000;
const NFS_OPTIONS = 'nosuid,nodev,soft,timeo=100,retrans=3';
const run = promisify(execFile);

/** A shared directory that an instance cannot have. */
export class SharedDirectoryError extends PlatformError {
  constructor({ cfsId, remoteDirectory }: SharedDirectory, reason: string, cause?: unknown) {
    super(`the shared directory ${remoteDirectory} of ${cfsId} cannot be mounted: ${reason}`, {
      code: 'InvalidParameterValue.Cfs',
      fault: 'platform',
      retryable: true,
      info: { cfsId },
      cause,
    });
  }
}

/** Shared file systems of this host: exports are mounted once and stay, folders are used where they are. */
export class SharedDirectories {
  private readonly mounted = new Map<string, Promise<string>>();

  constructor(private readonly options: SharedDirectoriesOptions) {}

  /** Mounts for an instance, in their order. @throws SharedDirectoryError */
  async mounts(directories: readonly SharedDirectory[]): Promise<SandboxMount[]> {
    if (directories.length === 0) return [];
    const shares = await Promise.all(
      directories.map(async (directory): Promise<SandboxMount> => {
        const { localDirectory: target, uid, gid } = directory;
        const { source, hasOwner } = await this.find(directory);
        return { source, target, readOnly: false, ...(hasOwner && { owner: { uid, gid } }) };
      }),
    );
    return [{ source: await this.mountPoints(directories), target: MOUNT_ROOT, readOnly: true }, ...shares];
  }

  /** Takes down what was mounted. Never rejects. */
  async close(): Promise<void> {
    for (const mounting of this.mounted.values()) {
      const target = await mounting.catch(() => undefined);
      if (target !== undefined) await run('umount', ['-l', target]).catch(() => undefined);
    }
    this.mounted.clear();
  }

  /** Who the owner of an export's files is, only its server can say (its options all_squash, anonuid and anongid). */
  private async find(directory: SharedDirectory): Promise<{ source: string; hasOwner: boolean }> {
    const { cfsId, remoteDirectory } = directory;
    const system = this.options.systems.get(cfsId);
    if (system === undefined) throw new SharedDirectoryError(directory, 'this host has no such file system');
    const base = await this.base(directory, system);
    const path = join(base, normalize(join('/', remoteDirectory)));
    try {
      const [root, real] = await Promise.all([realpath(base), realpath(path)]);
      // Links in it are its users' work.
      if (real !== root && !real.startsWith(root + sep)) throw new Error('it leads out of its file system');
      if (!(await stat(real)).isDirectory()) throw new Error('it is not a folder');
      return { source: real, hasOwner: system.kind === 'folder' };
    } catch (error) {
      throw new SharedDirectoryError(
        directory,
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
  }

  private base(directory: SharedDirectory, system: SharedFileSystem): Promise<string> {
    if (system.kind === 'folder') return Promise.resolve(system.path);
    const { cfsId } = directory;
    let mounting = this.mounted.get(cfsId);
    if (mounting === undefined) {
      mounting = this.mountExport(cfsId, system).catch((error: unknown) => {
        // Tried again for the next instance.
        this.mounted.delete(cfsId);
        const { stderr } = error as { stderr?: string };
        throw new SharedDirectoryError(directory, stderr?.trim() || String(error), error);
      });
      this.mounted.set(cfsId, mounting);
    }
    return mounting;
  }

  private async mountExport(
    name: string,
    { host, path }: Extract<SharedFileSystem, { kind: 'nfs' }>,
  ): Promise<string> {
    const target = join(this.options.root, 'exports', name);
    await mkdir(target, { recursive: true, mode: 0o755 });
    // Of an earlier life.
    await run('umount', ['-l', target]).catch(() => undefined);
    await run('mount', ['-t', 'nfs', '-o', NFS_OPTIONS, `${host}:${path}`, target], {
      timeout: MOUNT_TIMEOUT_MS,
    });
    return target;
  }

  /** A folder that has the places below `/mnt`, since the root file system is shared and read-only. */
  private async mountPoints(directories: readonly SharedDirectory[]): Promise<string> {
    const places = directories.map((directory) => {
      const place = relative(MOUNT_ROOT, normalize(directory.localDirectory));
      if (place === '' || place.startsWith('..'))
        throw new SharedDirectoryError(
          directory,
          `${directory.localDirectory} is not a folder below ${MOUNT_ROOT}`,
        );
      return place;
    });
    const name = createHash('sha256').update(places.sort().join('\n')).digest('hex').slice(0, 16);
    const folder = join(this.options.root, 'mount-points', name);
    for (const place of places) await mkdir(join(folder, place), { recursive: true, mode: 0o755 });
    return folder;
  }
}
