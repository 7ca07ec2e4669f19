import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileInRoot, folderInRoot, pathInRoot } from './root-path.js';

describe('paths in a root', () => {
  let folder: string;
  let root: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-root-'));
    root = join(folder, 'root');
    await mkdir(join(root, 'etc'), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes folders on the way', async () => {
    expect(await folderInRoot(root, '/var/runtime/agent')).toBe(join(root, 'var/runtime/agent'));
    expect((await lstat(join(root, 'var/runtime/agent'))).isDirectory()).toBe(true);
    expect(await folderInRoot(root, '/')).toBe(root);
  });

  it.each([
    ['absolute', '/data', 'data/run'],
    ['relative', 'data', 'data/run'],
    ['climbing', '../../../data', 'data/run'],
    ['to the root', '/', 'run'],
    ['to a link', '/second', 'etc/run'],
  ])('follows a link inside the root, as the instance does: %s', async (_name, target, expected) => {
    await symlink(target, join(root, 'var'));
    await symlink('/etc', join(root, 'second'));
    expect(await folderInRoot(root, '/var/run')).toBe(join(root, expected));
    expect((await readdir(folder)).sort()).toEqual(['root']);
  });

  it('replaces what is in the way, and never what it points to', async () => {
    await writeFile(join(folder, 'outside'), 'x');
    await symlink(join(folder, 'outside'), join(root, 'etc/hosts'));
    await symlink('../../outside', join(root, 'etc/passwd'));
    await writeFile(join(root, 'opt'), 'a file');
    await symlink(folder, join(root, 'tmp'));
    await writeFile(await fileInRoot(root, '/etc/hosts'), 'y');
    expect((await lstat(join(root, 'etc/hosts'))).isFile()).toBe(true);
    expect(existsSync(await fileInRoot(root, '/etc/passwd'))).toBe(false);
    for (const path of ['/opt/x', '/tmp']) {
      expect((await lstat(await folderInRoot(root, path))).isDirectory()).toBe(true);
    }
    expect((await readdir(folder)).sort()).toEqual(['outside', 'root']);
    expect((await lstat(join(folder, 'outside'))).size).toBe(1);
  });

  it('gives up links that go round in a circle', async () => {
    await symlink('/b', join(root, 'a'));
    await symlink('/a', join(root, 'b'));
    await expect(pathInRoot(root, '/a/x')).rejects.toThrow('/a/x: too many links');
  });
});
