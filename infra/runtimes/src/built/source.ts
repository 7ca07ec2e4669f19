import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Tests and texts of a folder of sources are no part of what is built from it. */
const isOutside = (path: string) => /(_test\.go|\.ts|\.md|^package\.json)$|^testdata\//.test(path);

export interface Source {
  /** Relative paths, sorted. */
  paths: string[];
  /** Changes with every file. */
  hash: string;
}

export async function readSource(folder: string): Promise<Source> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((path) => !isOutside(path))
    .sort();
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\0`).update(await readFile(join(folder, path)));
  return { paths, hash: hash.digest('hex').slice(0, 16) };
}
