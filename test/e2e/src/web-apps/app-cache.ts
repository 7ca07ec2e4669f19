/** Where programs that nobody here wrote are kept, as their registries give them: fetched once, a half-filled folder is never seen. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedFolder } from '@openscf/infra-local';
import { zipOfFolder } from '../zip.factory.js';

const run = promisify(execFile);
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Runs a tool of the host; its words become the error's when it fails. */
export async function tool(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<void> {
  const env = { ...process.env, ...options.env };
  await run(program, args, { cwd: options.cwd, env, maxBuffer: MOST_OUTPUT_BYTES });
}

/** @param recipe everything that the folder's content depends on, versions included */
export async function cachedApp(
  name: string,
  recipe: unknown,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const root = join(process.env['OPENSCF_CACHE'] || join(homedir(), '.cache/openscf'), 'e2e-apps');
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  return cachedFolder(root, `${name}-${key}`, console.log, fill);
}

/** The zip of such a folder, kept beside it: some have thousands of files. */
export async function zipOfApp(folder: string): Promise<Buffer> {
  const path = `${folder}.zip`;
  if (existsSync(path)) return readFile(path);
  const zip = await zipOfFolder(folder);
  const draft = `${path}.part-${process.pid}`;
  await writeFile(draft, zip);
  await rename(draft, path);
  return zip;
}
