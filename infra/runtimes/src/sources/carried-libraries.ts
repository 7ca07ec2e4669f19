import { copyFile, chmod, lstat, mkdir, open, readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { runCommand } from '../run-command.ts';
import { resolveLink } from './copy-resolved.ts';

interface Carrying {
  /** The unpacked packages. */
  root: string;
  /** What is kept of them. */
  kept: string;
  /** Folder under /var/lang. */
  name: string;
  ownLibc: boolean;
  patchelf: string;
}

/** In every root file system that instances have, in a version that serves programs of this and of older suites. */
const IN_BASE = /^(ld-linux.*|lib(c|m|dl|pthread|rt|resolv|util|gcc_s|stdc\+\+|nsl|anl)\.so\.\d+)$/;

/** Where the loader looks in a Debian system, with the folder of the processor's own libraries first. */
const LIBRARY_FOLDERS = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '.'].flatMap((folder) => [
  join('usr/lib', folder),
  join('lib', folder),
]);

/** The folder in the kept one. */
const CARRIED = 'libs';

/**
 * Copies the shared libraries that the kept programs and libraries need and the root file system does not have for sure
 * into `libs`, and points the programs and libraries there, relative to where they are: nothing else has to be set.
 */
export async function carryLibraries(carrying: Carrying): Promise<void> {
  const { kept, patchelf } = carrying;
  const waiting = await binariesIn(kept);
  const present = new Set(waiting.map((path) => basename(path)));
  await mkdir(join(kept, CARRIED), { recursive: true });
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const printed = await runCommand(patchelf, ['--print-needed', path]).catch(() => undefined);
    if (printed === undefined) continue; // Linked statically.
    const needed = printed.split('\n').filter((library) => library !== '');
    for (const library of needed) {
      if (present.has(library) || (IN_BASE.test(library) && !carrying.ownLibc)) continue;
      const copy = await carry(carrying, library);
      if (copy === undefined) continue;
      present.add(library);
      if (!library.startsWith('ld-linux')) waiting.push(copy);
    }
    await point(carrying, path);
  }
}

async function carry({ root, kept }: Carrying, library: string): Promise<string | undefined> {
  for (const folder of LIBRARY_FOLDERS) {
    const found = await resolveLink(root, `/${join(folder, library)}`);
    if (found === undefined) continue;
    const copy = join(kept, CARRIED, library);
    await copyFile(join(root, found), copy);
    await chmod(copy, 0o755);
    return copy;
  }
  // An optional part of the packages, which the suite's own users may miss as well.
  return undefined;
}

/** Adds the carried libraries to where a program or library looks, after its own places. */
async function point({ kept, name, ownLibc, patchelf }: Carrying, path: string): Promise<void> {
  const own = (await runCommand(patchelf, ['--print-rpath', path])).trim();
  const carried = `$ORIGIN/${relative(dirname(path), join(kept, CARRIED)) || '.'}`;
  await runCommand(patchelf, ['--set-rpath', own === '' ? carried : `${own}:${carried}`, path]);
  if (!ownLibc) return;
  const loader = (await runCommand(patchelf, ['--print-interpreter', path]).catch(() => '')).trim();
  if (loader === '') return;
  const inInstance = `/var/lang/${name}/${CARRIED}/${basename(loader)}`;
  await runCommand(patchelf, ['--set-interpreter', inInstance, path]);
}

/** All ELF programs and libraries with a dynamic section, links left out. */
async function binariesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = join(folder, entry);
    const stat = await lstat(path);
    if (!stat.isFile()) continue;
    if (!/\.so(\.|$)/.test(entry) && !(stat.mode & 0o111)) continue;
    if (await isElf(path)) found.push(path);
  }
  return found;
}

async function isElf(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1') === '\x7fELF';
  } finally {
    await file.close();
  }
}
