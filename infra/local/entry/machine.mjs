// What the machine must have. As root on Debian and Ubuntu the missing packages are installed; elsewhere the command is
// printed.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasProgram, run } from './run.mjs';
import { EntryError, step } from './talk.mjs';

const OLDEST_NODE = 20;
const OLDEST_JAVA = 17;
const OLDEST_GO = [1, 24];
/** What Debian's archive is signed with; the root file system of functions is made from it, on Ubuntu too. */
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Installs what is missing, or throws a sentence with the command that does. `more` are needs of the caller's own. */
export async function checkMachine(environment, more = []) {
  const node = Number(process.versions.node.split('.')[0]);
  if (node < OLDEST_NODE)
    throw new EntryError(
      `This is Node.js ${process.versions.node}, but npm start needs Node.js ${OLDEST_NODE} or newer.`,
    );
  if (!['linux', 'darwin'].includes(process.platform))
    throw new EntryError(`OpenSCF runs on Linux and macOS, not on ${process.platform}: use WSL on Windows.`);
  await installImageTools();
  const missing = await missingOn(environment, more);
  if (missing.length === 0) return;
  if (!isDebian() || !hasProgram('apt-get')) throw new EntryError(adviceFor(missing));
  const packages = await packagesFor(missing);
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid() !== 0)
    throw new EntryError(`Missing: ${namesOf(missing)}. Install with: sudo ${command}`);
  await step(`system packages: ${packages.join(', ')}`, () => install(packages));
  const still = await missingOn(environment, more);
  if (still.length > 0)
    throw new EntryError(`Installed ${packages.join(', ')}, but still missing: ${namesOf(still)}.`);
}

/** Each need: what it is called, the Debian packages that bring it (the first that can be had), its Homebrew formula. */
async function missingOn(environment, more) {
  const isRoot = process.getuid() === 0;
  const onLinux = process.platform === 'linux';
  const driver = environment.OPENSCF_SANDBOX_DRIVER || (onLinux && isRoot ? 'runc' : 'docker');
  const cache = environment.OPENSCF_CACHE || join(homedir(), '.cache/openscf');
  const cached = (name) => existsSync(join(cache, name));
  const needs = [
    {
      name: `Java ${OLDEST_JAVA}`,
      has: hasJava,
      debian: ['openjdk-21-jre-headless', 'openjdk-17-jre-headless'],
      brew: 'openjdk',
    },
  ];
  const hasRuntimes = cached('runtimes/runtimes.json');
  if (!cached('kafka-4.1.1') || !hasRuntimes) needs.push(program('mvn', 'maven'));
  if (!hasRuntimes && onLinux) {
    const has = async () => existsSync(DEBIAN_KEYRING);
    needs.push(program('unzip', 'unzip'));
    needs.push({ name: "Debian's archive keys", has, debian: ['debian-archive-keyring'], brew: '' });
  }
  // The agent and Java's launcher are programs in Go; some JVMs come as Python wheels.
  if (onLinux && !cached('runtimes/built')) needs.push(program('go', 'golang-go'));
  if (onLinux && !cached('runtimes/lang/java21')) needs.push(program('pip', 'python3-pip'));
  if (onLinux) needs.push(program('setpriv', 'util-linux'), program('tar', 'tar'));
  if (driver === 'runc') {
    needs.push(
      program('runc', 'runc'),
      program('mmdebstrap', 'mmdebstrap'),
      program('ip', 'iproute2'),
      program('slirp4netns', 'slirp4netns'),
    );
  }
  if (driver === 'docker')
    needs.push({ name: 'a Docker engine that runs', has: hasDocker, debian: ['docker.io'], brew: 'docker' });
  const hasMinio = hasProgram('minio') || cached('minio-7aac2a2c5b7c');
  if (!hasMinio && !(await hasDocker())) {
    const name = `Go ${OLDEST_GO.join('.')} (or a "minio" program) to build MinIO once`;
    needs.push({ name, has: hasGo, debian: ['golang-go', 'golang-1.24-go'], atLeast: OLDEST_GO, brew: 'go' });
  }
  needs.push(...more);
  return missingOf(needs);
}

async function missingOf(needs) {
  const found = await Promise.all(needs.map((need) => need.has()));
  return needs.filter((_need, index) => !found[index]);
}

/**
 * Image functions need them and nothing else does: without them everything starts, and deploying an image says what to install.
 * So they are installed where that asks for nobody's help.
 */
async function installImageTools() {
  const missing = await missingOf([program('skopeo', 'skopeo'), program('umoci', 'umoci')]);
  if (missing.length === 0 || process.platform !== 'linux' || process.getuid() !== 0) return;
  if (!isDebian() || !hasProgram('apt-get')) return;
  const packages = await packagesFor(missing);
  await step(`system packages for image functions: ${packages.join(', ')}`, () =>
    install(packages).catch((error) => console.log(`  cannot be installed: ${error.message}`)),
  );
}

/** A need for a program that a Debian package of mostly the same name brings. */
export function program(name, debianPackage) {
  return {
    name,
    has: async () => hasProgram(name),
    debian: [debianPackage],
    brew: name === 'mvn' ? 'maven' : name,
  };
}

async function hasJava() {
  if (!hasProgram('java')) return false;
  const text = await run('java', ['--version'], { quiet: true }).catch(() => '');
  return Number(/^\S+ (\d+)/.exec(text)?.[1] ?? 0) >= OLDEST_JAVA;
}

async function hasGo() {
  const go = hasProgram('go') ? 'go' : '/usr/local/go/bin/go';
  const text = await run(go, ['version'], { quiet: true }).catch(() => '');
  return isAtLeast(/go(\d+\.\d+)/.exec(text)?.[1], OLDEST_GO);
}

async function hasDocker() {
  if (!hasProgram('docker')) return false;
  return run('docker', ['info'], { quiet: true }).then(
    () => true,
    () => false,
  );
}

function isAtLeast(version, [major, minor]) {
  const [hasMajor = 0, hasMinor = 0] = (version ?? '').split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}

function isDebian() {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
}

async function packagesFor(missing) {
  if (process.getuid() === 0) await run('apt-get', ['update'], { quiet: true }).catch(() => ''); // old lists may do
  const packages = await Promise.all(
    missing.map(async (need) => {
      const candidates = await Promise.all(need.debian.map(candidateOf));
      const chosen = candidates.findIndex(
        (version) => version !== '' && (need.atLeast === undefined || isAtLeast(version, need.atLeast)),
      );
      if (chosen === -1 && need.atLeast !== undefined)
        throw new EntryError(
          `Missing: ${need.name}; this system's packages are older, so install it by hand.`,
        );
      return need.debian[Math.max(0, chosen)];
    }),
  );
  return [...new Set(packages)];
}

/** Version that apt would install, without epoch; empty when there is none. */
async function candidateOf(name) {
  const text = await run('apt-cache', ['policy', name], { quiet: true }).catch(() => '');
  const version = /Candidate: (?:\d+:)?(\S+)/.exec(text)?.[1] ?? '';
  return version === '(none)' ? '' : version.replace(/[~-].*$/, '');
}

function install(packages) {
  return run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function adviceFor(missing) {
  const formulas = [...new Set(missing.map((need) => need.brew))].join(' ');
  const how =
    process.platform === 'darwin'
      ? `Install with: brew install ${formulas}`
      : 'Install them with the package manager of this system.';
  return `Missing: ${namesOf(missing)}. ${how}`;
}

function namesOf(missing) {
  return missing.map((need) => need.name).join(', ');
}
