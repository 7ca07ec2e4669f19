import { lstat, mkdir, readlink, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Linux follows as many links in one path. */
const MOST_LINKS = 40;

type Found = 'folder' | 'file' | 'link' | 'nothing';

/**
 * Where `path` of the instance lies on the host: as the instance itself would go there, with every link resolved inside `root`. Folders on
 * the way are made, in the place of files too. What is at the end is not looked at, and may be nothing.
 *
 * For trees that nobody else changes.
 * @param root absolute, a real folder
 * @throws Error for links that go round in a circle
 */
export async function pathInRoot(root: string, path: string): Promise<string> {
  const waiting = partsOf(path);
  const last = waiting.pop();
  if (last === undefined) return root;
  let links = 0;
  let folder = root;
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    if (part === '..') {
      folder = folder === root ? root : dirname(folder);
      continue;
    }
    const next = join(folder, part);
    const found = await whatIs(next);
    if (found === 'link') {
      if (++links > MOST_LINKS) throw new Error(`${path}: too many links`);
      const target = await readlink(next);
      if (target.startsWith('/')) folder = root;
      waiting.unshift(...partsOf(target));
      continue;
    }
    if (found === 'file') await rm(next);
    if (found !== 'folder') await mkdir(next, { mode: 0o755 });
    folder = next;
  }
  return join(folder, last);
}

/** Makes sure that there is a real folder, not a link to one. @returns where it is on the host */
export async function folderInRoot(root: string, path: string): Promise<string> {
  const place = await pathInRoot(root, path);
  const found = await whatIs(place);
  if (found === 'folder') return place;
  if (found !== 'nothing') await rm(place);
  await mkdir(place, { mode: 0o755 });
  return place;
}

/** Makes sure that there is a regular file or nothing. @returns where it is on the host */
export async function fileInRoot(root: string, path: string): Promise<string> {
  const place = await pathInRoot(root, path);
  const found = await whatIs(place);
  if (found === 'link' || found === 'folder') await rm(place, { recursive: true });
  return place;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

async function whatIs(path: string): Promise<Found> {
  const entry = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (entry === undefined) return 'nothing';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'file';
}
