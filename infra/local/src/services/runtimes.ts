import { join } from 'node:path';
import type { Report } from '../caches/cache.ts';
import { runTool } from '../caches/tool.ts';
import type { Settings } from '../settings.ts';
import { REPOSITORY } from './services.ts';

/** Fills the cache with the root file system and the languages that functions run in. */
export async function prepareRuntimes(settings: Settings, report: Report): Promise<void> {
  const program = join(REPOSITORY, 'infra/runtimes/prepare.ts');
  await runTool(process.execPath, [program], { env: { OPENSCF_CACHE: settings.cache }, onLine: report });
}
