// Starts the launcher proper on the Node.js of node_modules and stays until it ends.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './modules.mjs';
import { EntryError } from './talk.mjs';

/** kafkajs 2.2.4 sets timers of negative times, which libs/bus mends for the services; the Kafka door's client lives for a second. */
const QUIET = '--disable-warning=TimeoutNegativeWarning';

/** Resolves with the exit code. */
export function handOver(command, args) {
  const node = join(REPOSITORY, 'node_modules/.bin/node');
  if (!existsSync(node))
    throw new EntryError(
      'OpenSCF is not installed yet, so it does not run: `npm start` installs and starts it.',
    );
  return new Promise((resolve, reject) => {
    // The channel is there so that the launcher notices when this process is killed.
    const launcher = spawn(node, [QUIET, join(REPOSITORY, 'infra/local/src/main.ts'), command, ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    process.on('SIGINT', () => {}); // the terminal sends it to the launcher as well
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => launcher.kill(signal));
    launcher.on('error', reject);
    launcher.on('exit', (code) => resolve(code ?? 1));
  });
}
