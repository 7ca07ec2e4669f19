import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { RuntimeSource } from './descriptor.ts';

/** Something that is to be made: the root file system, the folder of a runtime by its source, or what is built from sources. */
export type Need = 'root' | RuntimeSource['kind'] | 'agent' | 'java' | 'python';

/** What is to be made → programs that make it, each with the Debian package that brings it. */
const PROGRAMS: Record<Need, Record<string, string>> = {
  root: { mmdebstrap: 'mmdebstrap' },
  base: {},
  npm: { npm: 'npm', tar: 'tar' },
  'maven-cpython': { mvn: 'maven', unzip: 'unzip' },
  pypi: { pip: 'python3-pip', unzip: 'unzip' },
  debian: { mmdebstrap: 'mmdebstrap' },
  'stand-in': {},
  agent: { go: 'golang-go' },
  java: { mvn: 'maven', java: 'default-jre-headless', go: 'golang-go', unshare: 'util-linux' },
  python: { unshare: 'util-linux' },
};

/** These are made from Debian's archive, whose signatures are checked. */
const FROM_DEBIAN: readonly Need[] = ['root', 'debian'];

/** The keys that Debian's archive is signed with: Ubuntu has them in a package. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

async function isOnPath(program: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** One sentence about what keeps this machine from making these things, or undefined. What is there needs no program. */
export async function whatIsMissing(toMake: Need[]): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return `The runtimes are made on Linux (Debian or Ubuntu), and this is ${process.platform}: run prepare.ts in a Debian container, or use the images of infra/images.`;
  if (!['x64', 'arm64'].includes(process.arch))
    return `The runtimes exist for x64 and arm64 processors, and this is ${process.arch}.`;
  if (process.getuid?.() !== 0) return 'Making the root file system needs root: run prepare.ts with sudo.';
  const missing = new Set<string>();
  for (const [program, debianPackage] of toMake.flatMap((kind) => Object.entries(PROGRAMS[kind])))
    if (!(await isOnPath(program))) missing.add(debianPackage);
  if (toMake.some((need) => FROM_DEBIAN.includes(need)) && !(await isThere(KEYRING)))
    missing.add('debian-archive-keyring');
  if (missing.size === 0) return undefined;
  return `Missing programs; install them with: apt-get install -y ${[...missing].join(' ')}`;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
