import { chmod, lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyResolved, resolveLink } from './copy-resolved.ts';

let root: string;
let target: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'openscf-copy-'));
  root = join(folder, 'root');
  target = join(folder, 'target');
  await mkdir(join(root, 'etc/java'), { recursive: true });
  await mkdir(join(root, 'usr/jvm/bin'), { recursive: true });
  await writeFile(join(root, 'etc/java/net.properties'), 'settings');
  await writeFile(join(root, 'usr/jvm/bin/java'), 'program');
  await chmod(join(root, 'usr/jvm/bin/java'), 0o755);
});
afterEach(async () => {
  await rm(join(root, '..'), { recursive: true });
});

it('keeps links within what is copied, and follows those that lead out of it, within the root', async () => {
  await symlink('/etc/java/net.properties', join(root, 'usr/jvm/net.properties'));
  await symlink('../../etc/java', join(root, 'usr/jvm/conf'));
  await symlink('bin/java', join(root, 'usr/jvm/java'));
  await copyResolved(root, 'usr/jvm', target);
  expect(await readFile(join(target, 'net.properties'), 'utf8')).toBe('settings');
  expect((await lstat(join(target, 'net.properties'))).isFile()).toBe(true);
  expect(await readFile(join(target, 'conf/net.properties'), 'utf8')).toBe('settings');
  expect(await readlink(join(target, 'java'))).toBe('bin/java');
  expect((await lstat(join(target, 'bin/java'))).mode & 0o777).toBe(0o755);
});

it('leaves out links that lead nowhere or in a circle', async () => {
  await symlink('/etc/none', join(root, 'usr/jvm/none'));
  await symlink('circle', join(root, 'usr/jvm/circle'));
  await copyResolved(root, 'usr/jvm', target);
  await expect(lstat(join(target, 'none'))).rejects.toThrow('ENOENT');
  await expect(lstat(join(target, 'circle'))).rejects.toThrow('ENOENT');
});

it('copies one file, and tells where links end', async () => {
  await symlink('java', join(root, 'usr/jvm/bin/link'));
  await copyResolved(root, 'usr/jvm/bin/link', join(target, 'bin/program'));
  expect(await readFile(join(target, 'bin/program'), 'utf8')).toBe('program');
  expect(await resolveLink(root, '/usr/jvm/bin/link')).toBe('/usr/jvm/bin/java');
});
