import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Written last into every placed folder; says what the folder was made from. */
const STAMP = '.openscf-source.json';

/** True when the folder was completely made from this very source. */
export async function isPlaced(folder: string, source: unknown): Promise<boolean> {
  try {
    return (await readFile(join(folder, STAMP), 'utf8')) === JSON.stringify(source);
  } catch {
    return false;
  }
}

/**
 * Makes a folder completely or not at all: it is filled beside its place and renamed into it. An older one is moved
 * away first; instances that have it mounted keep it.
 */
export async function place(folder: string, source: unknown, fill: (temporary: string) => Promise<void>) {
  if (await isPlaced(folder, source)) return false;
  await mkdir(dirname(folder), { recursive: true });
  const temporary = temporaryBeside(folder, 'new');
  const old = temporaryBeside(folder, 'old');
  try {
    await mkdir(temporary);
    await fill(temporary);
    await writeFile(join(temporary, STAMP), JSON.stringify(source));
    await rename(folder, old).catch(ignoreMissing);
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
  return true;
}

/** A name that tells the process that uses it, so that `sweep` knows what is left over. */
export function temporaryBeside(folder: string, purpose: string): string {
  return join(dirname(folder), `.${basename(folder)}.${purpose}.${process.pid}`);
}

/** Removes what runs that were killed have left in a folder of places. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\..+\.(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
