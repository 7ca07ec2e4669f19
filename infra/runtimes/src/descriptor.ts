import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Debian packages that are unpacked beside the root file system, into a folder that carries the libraries it needs. */
export interface DebianSource {
  kind: 'debian';
  version: string;
  suite: string;
  packages: string[];
  /** What is kept: path in the unpacked packages → path in the folder. `{arch}` is Debian's name of the processor. */
  take: Record<string, string>;
  /** Symbolic links in the folder: name → target. */
  links?: Record<string, string>;
  /** Text files in the folder: path → lines. */
  files?: Record<string, string[]>;
  /** Byte code is made of this folder of Python sources. */
  compile?: string;
  /** A Java key store of the certificates that Debian trusts is written here. */
  trustStore?: string;
  /** For a suite newer than the root file system: it brings its own C library and loader, too. */
  ownLibc?: boolean;
  /** For a suite that is never released: its lists are taken although they say that they are out of date. */
  rolling?: boolean;
}

/**
 * Where the interpreter comes from. `base`: a program of the root file system, linked to. `stand-in`: another runtime of the
 * language serves this name, too.
 */
export type RuntimeSource =
  | { kind: 'base'; version: string; program: string; links: string[] }
  | { kind: 'npm'; version: string }
  | { kind: 'maven-cpython'; version: string; artifactVersion: string }
  | { kind: 'pypi'; version: string; package: string; packageVersion: string; take: string }
  | { kind: 'stand-in'; version: string; of: string; program: string }
  | DebianSource;

export interface RuntimeEntry {
  /** The name that the Cloud API accepts. */
  name: string;
  /** Folder of the interpreter under /var/lang. A language that has none of its own has no folder. */
  folder?: string;
  source?: RuntimeSource;
  /** In place of the language's. */
  command?: string[];
  /** Over the language's. */
  env?: Record<string, string>;
  /** What a user should know of it: shown in docs/runtimes.md. */
  note?: string;
}

/** One language: `<language>/runtime.json`. `{folder}` stands for the folder of each runtime. */
export interface LanguageDescriptor {
  language: string;
  runtimes: RuntimeEntry[];
  interpreter?: string;
  command: string[];
  env: Record<string, string>;
  /** Names that the Cloud API accepts and nothing here serves → why, and what would be needed. */
  missing?: Record<string, string>;
  /** The bootstrap is built from its sources, by the program of this name in src/built. */
  built?: 'agent' | 'java' | 'python';
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
