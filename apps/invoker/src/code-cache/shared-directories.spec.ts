import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SharedDirectory } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SharedDirectories } from './shared-directories.js';
import { sharedFileSystemsSchema } from './shared-file-systems.config.js';

describe('shared directories', () => {
  let folder: string;
  let shared: SharedDirectories;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-shared-'));
    await mkdir(join(folder, 'export/team'), { recursive: true });
    const systems = sharedFileSystemsSchema.parse(`cfs-a=${folder}/export; cfs-gone=${folder}/none`);
    shared = new SharedDirectories({ systems, root: join(folder, 'state') });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function directory(change: Partial<SharedDirectory> = {}): SharedDirectory {
    const place = { cfsId: 'cfs-a', remoteDirectory: '/team', localDirectory: '/mnt/team' };
    return { ...place, uid: 10_000, gid: 33, ...change };
  }

  it('are mounted read-write over places that the shared root does not have', async () => {
    const { mode } = await stat(join(folder, 'export/team'));
    const [places, share] = await shared.mounts([directory()]);
    const owner = { uid: 10_000, gid: 33 };
    expect(share).toEqual({
      source: join(folder, 'export/team'),
      target: '/mnt/team',
      readOnly: false,
      owner,
    });
    expect(places).toMatchObject({ target: '/mnt', readOnly: true });
    expect(existsSync(join(places?.source ?? '', 'team'))).toBe(true);
    expect(await shared.mounts([])).toEqual([]);
    // It is the operator's.
    expect((await stat(join(folder, 'export/team'))).mode).toBe(mode);
  });

  it.each([
    [{ cfsId: 'cfs-other' }, /cfs-other cannot be mounted: this host has no such file system/],
    [{ remoteDirectory: '/missing' }, /ENOENT/],
    [{ cfsId: 'cfs-gone' }, /ENOENT/],
    [{ localDirectory: '/var/user' }, /is not a folder below \/mnt/],
    [{ remoteDirectory: '/out' }, /it leads out of its file system/],
  ])('are refused with the reason: %o', async (change, message) => {
    await symlink('/etc', join(folder, 'export/out'));
    await expect(shared.mounts([directory(change)])).rejects.toThrow(message);
  });

  it('never leave their file system by dots', async () => {
    const [, share] = await shared.mounts([directory({ remoteDirectory: '/../../team' })]);
    expect(share?.source).toBe(join(folder, 'export/team'));
  });

  it('are configured as folders or exports', () => {
    const systems = sharedFileSystemsSchema.parse('a=/x;b=nfs:server.lan:/export/b');
    expect([...systems]).toEqual([
      ['a', { kind: 'folder', path: '/x' }],
      ['b', { kind: 'nfs', host: 'server.lan', path: '/export/b' }],
    ]);
    for (const wrong of ['a', 'a=x', 'a=/x/../y', 'a=nfs:/x'])
      expect(sharedFileSystemsSchema.safeParse(wrong).success).toBe(false);
  });
});
