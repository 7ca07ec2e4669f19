// Where everything lies under $OPENSCF_HOME.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Home {
  root: string;
  masterKeyFile: string;
  credentialsFile: string;
  minioRootFile: string;
  postgresPasswordFile: string;
  lockFile: string;
  runStateFile: string;
  /** Log file of one process. */
  log(name: string): string;
  /** Data folder of one part. */
  data(part: string): string;
}

/** Makes the folders (0700: they hold keys and data) and answers where things are. */
export function openHome(root: string): Home {
  const folder = (name: string) => join(root, name);
  for (const name of ['', 'logs', 'run', 'secrets', 'data'])
    mkdirSync(folder(name), { recursive: true, mode: 0o700 });
  return {
    root,
    masterKeyFile: folder('master.key'),
    credentialsFile: folder('credentials'),
    minioRootFile: folder('secrets/minio-root'),
    postgresPasswordFile: folder('secrets/postgres-password'),
    lockFile: folder('run/supervisor.lock'),
    runStateFile: folder('run/state.json'),
    log: (name) => folder(`logs/${name}.log`),
    data: (part) => folder(`data/${part}`),
  };
}
