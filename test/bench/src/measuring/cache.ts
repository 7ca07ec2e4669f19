import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The same folder as the platform's programs have. */
export function inCache(...path: string[]): string {
  return join(process.env['OPENSCF_CACHE'] || join(homedir(), '.cache/openscf'), ...path);
}

/** Fills a folder of the cache once; half a folder is never seen. */
export async function cachedOnce(folder: string, fill: (part: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  await fill(part);
  renameSync(part, folder);
  return folder;
}
