import { join } from 'node:path';
import { place } from '../place.ts';
import { buildGo } from './go.ts';
import type { Source } from './source.ts';

/** The folder of the program that starts sandboxes, made from these sources. */
export const launcherFolder = (root: string, { hash }: Source) => join(root, 'built', `launcher-${hash}`);

/** What a complete folder is stamped with. */
export const launcherStamp = ({ hash }: Source) => ({ hash, architecture: process.arch });

/** Builds the launcher (libs/sandbox/launcher), a static program, into a folder of its own, and tells where the program is. */
export async function makeLauncher(
  root: string,
  sources: string,
  source: Source,
  report: (text: string) => void,
): Promise<string> {
  const folder = launcherFolder(root, source);
  const made = await place(folder, launcherStamp(source), async (temporary) => {
    report('building');
    await buildGo(sources, join(temporary, 'launcher'));
  });
  report(made ? 'made' : 'there already');
  return join(folder, 'launcher');
}
