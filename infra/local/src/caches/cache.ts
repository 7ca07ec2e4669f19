// Folders of programs that are made once and then only read. Two starts at once make each only once.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../home/lock.ts';

export type Report = (detail: string) => void;

/**
 * The folder `<cache>/<name>`, filled by `fill` when it is not there yet. It appears whole or not at all: `fill` works in
 * a folder beside it, which is renamed at the end.
 */
export async function cachedFolder(
  cache: string,
  name: string,
  report: Report,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(cache, name);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  await withLock(
    `${target}.lock`,
    (holder) => report(`another start (process ${holder.pid}) is filling the cache`),
    async () => {
      if (existsSync(target)) return;
      const draft = `${target}.new`;
      rmSync(draft, { recursive: true, force: true });
      mkdirSync(draft);
      try {
        await fill(draft);
        renameSync(draft, target);
      } catch (error) {
        rmSync(draft, { recursive: true, force: true });
        throw error;
      }
    },
  );
  return target;
}
