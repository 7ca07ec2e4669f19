// What the service image holds: built packages, the packages that they need at run time, and the launcher's key-making.
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { runTool } from '../caches/tool.ts';
import { REPOSITORY } from '../services/services.ts';

const SOURCES = ['libs/runtimes', 'infra/local/src', 'infra/local/kafka', 'infra/runtimes'];

export async function stageApp(target: string): Promise<void> {
  const list = await runTool('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: REPOSITORY });
  const folders = list.split('\n').filter((folder) => folder.startsWith(`${REPOSITORY}/`));
  const packages = folders.filter(
    (folder) => folder.includes('/node_modules/') && !folder.includes('/node_modules/@openscf/'),
  );
  for (const folder of packages)
    copy(folder, target, (path) => !relative(folder, path).includes('node_modules'));
  const workspaces = ['apps', 'libs', 'libs/sandbox'].map((folder) => join(REPOSITORY, folder));
  for (const folder of workspaces) copy(folder, target, isRuntimeFile);
  for (const source of SOURCES)
    if (existsSync(join(REPOSITORY, source))) copy(join(REPOSITORY, source), target, () => true);
  copy(join(REPOSITORY, 'package.json'), target, () => true);
  copy(join(REPOSITORY, 'node_modules/@openscf'), target, () => true); // links to the packages
}

function copy(source: string, target: string, filter: (path: string) => boolean): void {
  const destination = join(target, relative(REPOSITORY, source));
  mkdirSync(dirname(destination), { recursive: true });
  cpSync(source, destination, { recursive: true, verbatimSymlinks: true, filter: (path) => filter(path) });
}

function isRuntimeFile(path: string): boolean {
  return (
    !/\/(src|node_modules|\.nx)(\/|$)/.test(relative(REPOSITORY, path).replace(/^/, '/')) &&
    !path.endsWith('.tsbuildinfo')
  );
}
