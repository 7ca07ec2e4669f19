import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Program → Debian package that brings it. */
const PROGRAMS: Record<string, string> = {
  mmdebstrap: 'mmdebstrap',
  npm: 'npm',
  mvn: 'maven',
  unzip: 'unzip',
  tar: 'tar',
};

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

/** One sentence about what keeps this machine from making the runtimes, or undefined. */
export async function whatIsMissing(): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return `The runtimes are made on Linux (Debian or Ubuntu), and this is ${process.platform}: run prepare.ts in a Debian container, or use the images of infra/images.`;
  if (!['x64', 'arm64'].includes(process.arch))
    return `The runtimes exist for x64 and arm64 processors, and this is ${process.arch}.`;
  if (process.getuid?.() !== 0) return 'Making the root file system needs root: run prepare.ts with sudo.';
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(PROGRAMS))
    if (!(await isOnPath(program))) missing.push(debianPackage);
  const hasKeys = await access(KEYRING).then(
    () => true,
    () => false,
  );
  if (!hasKeys) missing.push('debian-archive-keyring');
  if (missing.length > 0)
    return `Missing programs; install them with: apt-get install -y ${missing.join(' ')}`;
  return undefined;
}
