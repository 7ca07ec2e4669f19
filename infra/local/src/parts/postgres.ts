// PostgreSQL. It refuses to run as root: under root it runs as the user "nobody", who owns its data folder.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PostgresPrograms } from '../caches/postgres-programs.ts';
import { runTool } from '../caches/tool.ts';
import { postgresProbe } from '../probes/postgres.probe.ts';
import type { ChildSpec, Command, UnprivilegedUser } from '../supervisor/child-spec.ts';
import { argvFor } from '../supervisor/command-line.ts';
import { cleanEnvironment, type PartContext } from './parts.ts';

/** Name of the role and of the database. */
export const POSTGRES_NAME = 'openscf';

export function postgres({ home, keys, settings }: PartContext, programs: PostgresPrograms): ChildSpec {
  const port = settings.ports.postgres;
  const data = home.data('postgres');
  const run = (program: string, args: string[]): Command => ({
    program,
    args,
    env: { ...cleanEnvironment(), TZ: 'UTC' },
    signalWhenOrphaned: 'SIGINT', // ends all sessions and stops cleanly
    runAs: userInsteadOfRoot(),
  });
  return {
    name: 'postgres',
    kind: 'part',
    port,
    url: `postgres://${POSTGRES_NAME}:${keys.postgresPassword}@127.0.0.1:${port}/${POSTGRES_NAME}`,
    logFile: home.log('postgres'),
    beforeStart: async () => {
      if (!existsSync(join(data, 'PG_VERSION'))) await makeData(data, programs, keys.postgresPassword, run);
      giveTo(data, userInsteadOfRoot());
    },
    command: () => run(programs.postgres, ['-D', data, ...settingsArguments(port)]),
    probe: () => postgresProbe(port, POSTGRES_NAME),
    readyTimeoutMs: 60_000,
    attemptsAtStart: 3, // right after kill -9 the old sessions may hold the shared memory for a moment
    stopSignal: 'SIGINT',
    stopGraceMs: 15_000,
  };
}

function settingsArguments(port: number): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    password_encryption: 'scram-sha-256',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** A cluster with our role and database. It is made beside its place and renamed, so that it is whole or not there. */
async function makeData(
  data: string,
  programs: PostgresPrograms,
  password: string,
  run: (program: string, args: string[]) => Command,
): Promise<void> {
  const user = userInsteadOfRoot();
  const draft = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) chownSync(draft, user.uid, user.gid);
  const toolRun = { cwd: '/', env: { TZ: 'UTC' } };
  const tool = async (program: string, args: string[], input?: string) => {
    const [first = '', ...rest] = argvFor(run(program, args));
    await runTool(first, rest, { ...toolRun, input });
  };
  const locale = [
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  await tool(programs.initdb, [
    '-D',
    draft,
    `--username=${POSTGRES_NAME}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--no-sync',
    ...locale,
  ]);
  await tool(programs.postgres, ['--single', '-D', draft, 'postgres'], `CREATE DATABASE ${POSTGRES_NAME}\n`);
  rmSync(passwordFile);
  renameSync(draft, data);
}

function userInsteadOfRoot(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** A home that was copied, or used by another user before, changes owner here. */
function giveTo(folder: string, user: UnprivilegedUser | undefined): void {
  if (user === undefined || statSync(folder).uid === user.uid) return;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    chownSync(join(folder, entry), user.uid, user.gid);
  chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
}
