// node_modules: made by `npm ci` when it is missing or not what package-lock.json says.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';
import { step } from './talk.mjs';

export const REPOSITORY = join(import.meta.dirname, '../../..');

export async function installModules() {
  if (isUpToDate()) return;
  await step('npm ci (the first time takes some minutes)', () =>
    run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: REPOSITORY }),
  );
}

/** npm notes what it installed in node_modules/.package-lock.json; packages for other platforms are not in it. */
function isUpToDate() {
  const installedFile = join(REPOSITORY, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile) || !existsSync(join(REPOSITORY, 'node_modules/.bin/node'))) return false;
  const installed = packagesIn(installedFile);
  return Object.entries(packagesIn(join(REPOSITORY, 'package-lock.json')))
    .filter(
      ([path, wanted]) =>
        path.startsWith('node_modules/') && !wanted.link && !wanted.optional && !wanted.devOptional,
    )
    .every(([path, wanted]) => installed[path]?.version === wanted.version);
}

function packagesIn(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
