import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the interpreter comes from. `debian` means: a package of the base root file system, linked to. */
export type RuntimeSource =
  | { kind: 'npm'; version: string }
  | { kind: 'maven-cpython'; version: string; artifactVersion: string }
  | { kind: 'debian'; version: string; program: string; links: string[] };

export interface RuntimeEntry {
  /** The name that the Cloud API accepts. */
  name: string;
  /** Folder of the interpreter under /var/lang. */
  folder: string;
  source: RuntimeSource;
}

/** One language: `<language>/runtime.json`. `{folder}` stands for the folder of each runtime. */
export interface LanguageDescriptor {
  language: string;
  runtimes: RuntimeEntry[];
  interpreter: string;
  command: string[];
  env: Record<string, string>;
}

/** `base/recipe.json`: everything that the shared root file system is made from. */
export interface BaseRecipe {
  suite: string;
  packages: string[];
  locale: string;
  user: { name: string; uid: number; gid: number; home: string };
  hosts: Record<string, string[]>;
  nameservers: string[];
  mountPoints: string[];
  trim: string[];
  env: Record<string, string>;
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}

export async function loadLanguages(folder: string): Promise<LanguageDescriptor[]> {
  const entries = await readdir(folder, { recursive: true });
  const paths = entries.filter((entry) => /^[a-z]+\/runtime\.json$/.test(entry)).sort();
  return Promise.all(paths.map((path) => readJson<LanguageDescriptor>(join(folder, path))));
}

/** The recipe, with one mount point for the bootstrap of each language. */
export async function loadBaseRecipe(folder: string, languages: LanguageDescriptor[]): Promise<BaseRecipe> {
  const recipe = await readJson<BaseRecipe>(join(folder, 'base', 'recipe.json'));
  const bootstraps = languages.map(({ language }) => `/var/runtime/${language}`);
  return { ...recipe, mountPoints: [...recipe.mountPoints, ...bootstraps] };
}
