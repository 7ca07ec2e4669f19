import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { basename, dirname, join, normalize, relative } from 'node:path';

/** More links in a row than this are a circle. */
const MAX_LINKS = 40;

/**
 * Copies a file or folder of an unpacked root file system. Links that stay within what is copied remain links; those that
 * lead out of it, such as into /etc, become what they lead to; those that lead nowhere are left out.
 */
export async function copyResolved(root: string, from: string, to: string): Promise<void> {
  await copyOne({ root, top: normalize(`/${from}`) }, normalize(`/${from}`), to);
}

interface Copying {
  root: string;
  top: string;
}

async function copyOne(copying: Copying, path: string, to: string): Promise<void> {
  const stat = await lstat(join(copying.root, path)).catch(() => undefined);
  if (stat === undefined) return;
  if (stat.isSymbolicLink()) {
    const target = await resolveLink(copying.root, path);
    if (target === undefined) return;
    if (target.startsWith(`${copying.top}/`) && path !== copying.top)
      await symlink(relative(dirname(path), target) || basename(target), to);
    else await copyOne(copying, target, to);
    return;
  }
  if (stat.isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const name of await readdir(join(copying.root, path)))
      await copyOne(copying, join(path, name), join(to, name));
    return;
  }
  await mkdir(dirname(to), { recursive: true });
  await copyFile(join(copying.root, path), to);
  await chmod(to, stat.mode & 0o111 ? 0o755 : 0o644);
}

/** The path within the root that a link leads to in the end, or undefined when there is nothing. */
export async function resolveLink(root: string, path: string): Promise<string | undefined> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const stat = await lstat(join(root, at)).catch(() => undefined);
    if (stat === undefined) return undefined;
    if (!stat.isSymbolicLink()) return at;
    const target = await readlink(join(root, at));
    at = normalize(target.startsWith('/') ? target : join(dirname(at), target));
  }
  return undefined;
}
