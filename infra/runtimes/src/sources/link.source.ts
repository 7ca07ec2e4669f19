import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder of links to a program of the root file system. */
export async function linkToBase(folder: string, program: string, links: string[]): Promise<void> {
  await mkdir(join(folder, 'bin'));
  for (const link of links) await symlink(program, join(folder, 'bin', link));
}

/** A folder with a link into the one that serves the name. */
export async function linkToStandIn(folder: string, other: string, program: string): Promise<void> {
  await mkdir(join(folder, 'bin'));
  await symlink(`../../${other}/bin/${program}`, join(folder, 'bin', program));
}
