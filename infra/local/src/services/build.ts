import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../caches/cache.ts';
import { runTool } from '../caches/tool.ts';
import { withLock } from '../home/lock.ts';
import { bundleOf, REPOSITORY, SERVICE_NAMES } from './services.ts';

/** Builds apps and libs when an output is missing or older than a source of its package. */
export async function buildServices(report: Report): Promise<void> {
  if (isFresh()) return report('up to date');
  await withLock(
    join(REPOSITORY, 'node_modules/.cache/openscf-build.lock'),
    (holder) => report(`another start (process ${holder.pid}) builds`),
    async () => {
      if (isFresh()) return;
      await runTool('npm', ['run', '--silent', 'build'], {
        cwd: REPOSITORY,
        env: { NX_DAEMON: 'false', NX_TUI: 'false' },
        onLine: report,
      });
    },
  );
}

function isFresh(): boolean {
  const folders = packages();
  const newestSource = Math.max(...folders.map((folder) => newestMs(join(folder, 'src'))));
  return (
    folders.every((folder) => newestMs(join(folder, 'dist')) >= newestMs(join(folder, 'src'))) &&
    SERVICE_NAMES.every((name) => newestMs(bundleOf(name)) >= newestSource)
  );
}

/** Folders of the packages that have a build: apps, and libs one or two levels deep. */
function packages(): string[] {
  const inside = (folder: string) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'runtimes')
      .map((entry) => join(folder, entry.name));
  const libs = inside(join(REPOSITORY, 'libs'));
  return [...inside(join(REPOSITORY, 'apps')), ...libs, ...inside(join(REPOSITORY, 'libs/sandbox'))].filter(
    (folder) => existsSync(join(folder, 'package.json')) && sources(join(folder, 'src')).length > 0,
  );
}

function sources(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.spec)\.(ts|js)$/.test(file),
  );
}

function newestMs(folder: string): number {
  return Math.max(0, ...sources(folder).map((file) => statSync(join(folder, file)).mtimeMs));
}
