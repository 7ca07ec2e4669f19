// `npm test`. Plain JavaScript for Node.js 20, like `npm start`: installs what is missing, checks, builds, and runs every test on
// real parts. Ends with the test runner's summary.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { checkMachine, program } from '../infra/local/entry/machine.mjs';
import { installModules, REPOSITORY } from '../infra/local/entry/modules.mjs';
import { EntryError, fail, step } from '../infra/local/entry/talk.mjs';

/** What only the tests need: a second Kafka client, and an engine for the Docker driver and the compose file. */
const TEST_NEEDS = [program('kcat', 'kcat'), program('dockerd', 'docker.io'), program('docker-compose', 'docker-compose')];

const environment = {
  ...process.env,
  PATH: `${join(REPOSITORY, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
  OPENSCF_CACHE: process.env.OPENSCF_CACHE || join(homedir(), '.cache/openscf'),
  NX_DAEMON: 'false',
  CI: 'true',
};

function exec(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: REPOSITORY, env: environment, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new EntryError(`\`${[command, ...args].join(' ')}\` failed (exit code ${status}).`);
}

try {
  await checkMachine(process.env, TEST_NEEDS);
  await installModules();
  await step('format', () => exec('npm', 'run', '-s', 'format:check'));
  await step('lint', () => exec('npm', 'run', '-s', 'lint'));
  await step('types', () => exec('npm', 'run', '-s', 'typecheck'));
  await step('documents', () => exec('npm', 'run', '-s', 'flows'));
  await step('build', () => exec('npm', 'run', '-s', 'build'));
  await step('root file systems and runtimes', () => exec('node', 'infra/runtimes/prepare.ts'));
  exec('vitest', 'run', ...process.argv.slice(2));
} catch (error) {
  fail(error);
}
