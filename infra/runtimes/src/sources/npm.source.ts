import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, runDownload } from '../run-command.ts';

/** The package `node-linux-<arch>` holds Node.js's own release binary. */
export async function fillFromNpm(folder: string, scratch: string, version: string): Promise<void> {
  const name = `node-linux-${process.arch}`;
  await runDownload('npm', ['pack', '--loglevel=error', '--fetch-timeout=60000', `${name}@${version}`], {
    cwd: scratch,
  });
  await runCommand('tar', ['-xzf', `${name}-${version}.tgz`], { cwd: scratch });
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'lib', 'node_modules'), { recursive: true });
  await copyFile(join(scratch, 'package/bin/node'), join(folder, 'bin/node'));
  await copyFile(join(scratch, 'package/LICENSE'), join(folder, 'LICENSE'));
  await runCommand('chmod', ['755', join(folder, 'bin/node')]);
}
