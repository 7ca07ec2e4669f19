import { createHash } from 'node:crypto';
import { chmod, lchown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseRecipe } from './descriptor.ts';
import { place } from './place.ts';
import { runCommand } from './run-command.ts';

/** Raise it when this file makes something else from the same recipe. */
const RECIPE_FORMAT = 1;

/** The folder name of the root file system: it changes with everything that goes into it. */
export function baseFolderName(recipe: BaseRecipe, architecture: string): string {
  const content = JSON.stringify([RECIPE_FORMAT, architecture, recipe]);
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** What a complete root file system is stamped with. */
export function baseSource(recipe: BaseRecipe) {
  return { recipe, format: RECIPE_FORMAT };
}

export async function makeBaseRootfs(folder: string, recipe: BaseRecipe, report: (text: string) => void) {
  const made = await place(folder, baseSource(recipe), async (temporary) => {
    report('installing Debian packages (about a minute)');
    await installPackages(temporary, recipe);
    report('trimming');
    await trim(temporary, recipe);
    await writeSettings(temporary, recipe);
    await makeMountPoints(temporary, recipe);
    await chmod(temporary, 0o755);
  });
  report(made ? 'made' : 'there already');
}

/** `mmdebstrap` works on an empty folder; its hook makes the locale while the sources of locales are still there. */
async function installPackages(root: string, recipe: BaseRecipe): Promise<void> {
  const [language, charset] = recipe.locale.split('.');
  await runCommand('mmdebstrap', [
    '--mode=root',
    '--variant=minbase',
    '--quiet',
    `--include=${recipe.packages.join(',')}`,
    '--aptopt=Acquire::Retries "5"',
    '--aptopt=Acquire::Languages "none"',
    '--dpkgopt=path-exclude=/usr/share/doc/*',
    '--dpkgopt=path-exclude=/usr/share/man/*',
    `--customize-hook=chroot "$1" localedef -i ${language} -f ${charset} ${recipe.locale}`,
    recipe.suite,
    root,
  ]);
}

async function trim(root: string, recipe: BaseRecipe): Promise<void> {
  for (const path of recipe.trim) await rm(join(root, path), { recursive: true, force: true });
}

async function writeSettings(root: string, recipe: BaseRecipe): Promise<void> {
  const { name, uid, gid, home } = recipe.user;
  const hosts = Object.entries(recipe.hosts).map(([address, names]) => `${address}\t${names.join(' ')}\n`);
  await writeFile(join(root, 'etc/hosts'), hosts.join(''));
  const nameservers = recipe.nameservers.map((address) => `nameserver ${address}\n`);
  await rm(join(root, 'etc/resolv.conf'), { force: true });
  await writeFile(join(root, 'etc/resolv.conf'), `${nameservers.join('')}options timeout:2 attempts:2\n`);
  await writeFile(join(root, 'etc/hostname'), 'openscf\n');
  await writeFile(join(root, 'etc/passwd'), `${name}:x:${uid}:${gid}::${home}:/bin/bash\n`, { flag: 'a' });
  await writeFile(join(root, 'etc/group'), `${name}:x:${gid}:\n`, { flag: 'a' });
  await mkdir(join(root, home), { recursive: true });
  await lchown(join(root, home), uid, gid);
}

/** Directories and device nodes alike: the drivers put a new /dev over this one. */
async function makeMountPoints(root: string, recipe: BaseRecipe): Promise<void> {
  for (const path of recipe.mountPoints) await mkdir(join(root, path), { recursive: true });
  const devices = await readdir(join(root, 'dev'));
  for (const device of devices) await rm(join(root, 'dev', device), { recursive: true, force: true });
  await chmod(join(root, 'tmp'), 0o1777);
}
