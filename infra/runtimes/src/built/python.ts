import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { place } from '../place.ts';
import { runInRoot } from './root-command.ts';
import type { Source } from './source.ts';

const MOUNTED = '/var/runtime/python';
/** What start.py imports. */
const MODULE = 'bootstrap.py';

export interface PythonPlaces {
  root: string;
  /** Host folders of the root file system and of the interpreters. */
  rootfs: string;
  languages: string;
  /** libs/runtimes/python. */
  sources: string;
  /** Folders of the interpreters, such as `python311`. */
  interpreters: string[];
}

/** An interpreter of another version makes byte code of another form. */
export const pythonStamp = ({ hash }: Source, interpreters: unknown) => ({ hash, interpreters });

export const pythonFolder = (root: string, { hash }: Source) => join(root, 'built', `python-${hash}`);

/**
 * Copies the bootstrap (libs/runtimes/python) and keeps beside it the byte code of each Python 3: an instance that compiled it would take
 * longer to start, and hold for good some of the memory that the compiler had.
 */
export async function makePython(
  { root, rootfs, languages, sources, interpreters }: PythonPlaces,
  source: Source,
  entries: unknown,
  report: (text: string) => void,
): Promise<string> {
  const folder = pythonFolder(root, source);
  const made = await place(folder, pythonStamp(source, entries), async (temporary) => {
    report('compiling');
    for (const path of source.paths) await copyFile(join(sources, path), join(temporary, path));
    const places = { rootfs, languages, folder: temporary, mounted: MOUNTED };
    // The folder is what it was made as, whatever the time of its files.
    const compile = [
      '-m',
      'compileall',
      '-q',
      '--invalidation-mode',
      'unchecked-hash',
      join(MOUNTED, MODULE),
    ];
    for (const name of interpreters.filter((name) => !name.startsWith('python2')))
      await runInRoot(places, [`/var/lang/${name}/bin/python`, ...compile]);
  });
  report(made ? 'made' : 'there already');
  return folder;
}
