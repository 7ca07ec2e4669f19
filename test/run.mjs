// `npm test`. Plain JavaScript for Node.js 20, like `npm start`: installs what is missing, checks, builds, and runs every test on
// real parts. Arguments are projects of vitest.config.ts; without one, all. Ends with a line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { checkMachine, program } from '../infra/local/entry/machine.mjs';
import { installModules, REPOSITORY } from '../infra/local/entry/modules.mjs';
import { EntryError, fail, step } from '../infra/local/entry/talk.mjs';

/** What only the tests need: a second Kafka client, an engine for the Docker driver and the compose file, a registry of images. */
const TEST_NEEDS = [
  program('kcat', 'kcat'),
  program('dockerd', 'docker.io'),
  program('docker-compose', 'docker-compose'),
  program('docker-registry', 'docker-registry'),
  program('skopeo', 'skopeo'),
  program('umoci', 'umoci'),
];
/** One after the other, so that no suite's parts run beside another's. */
const SUITES = ['unit', 'integration', 'e2e', 'faults', 'compose'];

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

/** Runs one suite and returns how many of its tests passed and failed; a suite that could not run counts as one failure. */
function runSuite(name, reports) {
  const report = join(reports, `${name}.json`);
  const args = [
    'run',
    '--project',
    name,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  console.log(`\n── ${name} ──`);
  const { status } = spawnSync('vitest', args, { cwd: REPOSITORY, env: environment, stdio: 'inherit' });
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = status === 0 ? numFailedTests : Math.max(1, numFailedTests);
  return { passed: numPassedTests, failed };
}

async function prepare() {
  await checkMachine(process.env, TEST_NEEDS);
  await installModules();
  await step('format', () => exec('npm', 'run', '-s', 'format:check'));
  await step('lint', () => exec('npm', 'run', '-s', 'lint'));
  await step('types', () => exec('npm', 'run', '-s', 'typecheck'));
  await step('documents', () => exec('npm', 'run', '-s', 'flows'));
  await step('build', () => exec('npm', 'run', '-s', 'build'));
  await step('root file systems and runtimes', () => exec('node', 'infra/runtimes/prepare.ts'));
}

try {
  await prepare();
  const reports = mkdtempSync(join(tmpdir(), 'openscf-test-'));
  const suites = process.argv.length > 2 ? process.argv.slice(2) : SUITES;
  const counts = suites.map((name) => ({ name, ...runSuite(name, reports) }));
  rmSync(reports, { recursive: true, force: true });
  console.log();
  for (const { name, passed, failed } of counts) console.log(`${name}: ${passed} passed, ${failed} failed`);
  const sum = (field) => counts.reduce((total, count) => total + count[field], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  if (sum('failed') > 0) process.exitCode = 1;
} catch (error) {
  fail(error);
  console.log('0 passed, 1 failed');
}
