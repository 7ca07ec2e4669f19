// What the service image holds: built packages, the packages that they need at run time, and the launcher's key-making.
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { REPOSITORY } from '../services/services.ts';

const SOURCES = ['libs/runtimes', 'infra/local/src', 'infra/local/kafka', 'infra/runtimes'];

/** Two of three files of the packages: each costs the engine its time. */
const NEVER_RUN = /\.([cm]?ts|map|md|flow)$/;

/** Packages of others and what is ours go to two folders, so that the engine sends on only the layer that has changed. */
export function stageApp({ modules, app: target }: { modules: string; app: string }): void {
  for (const folder of runtimePackages())
    copy(
      folder,
      modules,
      (path) => !relative(folder, path).includes('node_modules') && !NEVER_RUN.test(path),
    );
  const workspaces = ['apps', 'libs', 'libs/sandbox'].map((folder) => join(REPOSITORY, folder));
  for (const folder of workspaces) copy(folder, target, isRuntimeFile);
  for (const source of SOURCES)
    if (existsSync(join(REPOSITORY, source))) copy(join(REPOSITORY, source), target, () => true);
  copy(join(REPOSITORY, 'package.json'), target, () => true);
  copy(join(REPOSITORY, 'node_modules/@openscf'), target, () => true); // links to the packages
}

/** Folders of the packages from the registry that are there and not for development alone. */
function runtimePackages(): string[] {
  const lock = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; link?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link)
    .map(([path]) => join(REPOSITORY, path))
    .filter((folder) => existsSync(folder));
}

function copy(source: string, target: string, filter: (path: string) => boolean): void {
  const destination = join(target, relative(REPOSITORY, source));
  mkdirSync(dirname(destination), { recursive: true });
  cpSync(source, destination, { recursive: true, verbatimSymlinks: true, filter: (path) => filter(path) });
}

function isRuntimeFile(path: string): boolean {
  return (
    !/\/(src|bundle|node_modules|\.nx)(\/|$)/.test(relative(REPOSITORY, path).replace(/^/, '/')) &&
    !path.endsWith('.tsbuildinfo')
  );
}
