import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseFolderName, baseSource, makeBaseRootfs } from './base-rootfs.ts';
import { agentFolder, agentStamp, makeAgent } from './built/agent.ts';
import { javaFolder, javaStamp, makeJava } from './built/java.ts';
import { launcherFolder, launcherStamp, makeLauncher } from './built/launcher.ts';
import { makePython, pythonFolder, pythonStamp } from './built/python.ts';
import { readSource } from './built/source.ts';
import {
  loadBaseRecipe,
  loadLanguages,
  type BaseRecipe,
  type LanguageDescriptor,
  type RuntimeEntry,
} from './descriptor.ts';
import { languageSource, makeLanguage } from './languages.ts';
import { makeManifest, type RuntimeManifest } from './manifest.ts';
import { isPlaced, sweep } from './place.ts';
import { whatIsMissing, type Need } from './requirements.ts';
import { makePatchelf } from './tools.ts';

export interface PrepareOptions {
  /** Folder of the recipes: one folder per language, and `base`. */
  recipes: string;
  /** libs/runtimes. */
  bootstraps: string;
  /** libs/sandbox/launcher. */
  launcher: string;
  /** What is filled. */
  root: string;
  /** Cloud API names of the runtimes to be made; none: all. */
  names: string[];
  print: (line: string) => void;
}

/** At once: downloads overlap, and no more processors than two are kept busy. */
const PARALLEL = 3;

export async function prepare({
  recipes,
  bootstraps,
  launcher,
  root,
  names,
  print,
}: PrepareOptions): Promise<void> {
  const all = await loadLanguages(recipes);
  const recipe = await loadBaseRecipe(recipes, all);
  const languages = chosen(all, names);
  const rootfs = join(root, 'rootfs', baseFolderName(recipe, process.arch));
  const folder = join(root, 'lang');
  for (const place of [folder, join(root, 'rootfs'), join(root, 'built')]) {
    await mkdir(place, { recursive: true });
    await sweep(place);
  }
  const entries = languages.flatMap(({ runtimes }) => runtimes);
  const wanted = new Set(languages.flatMap(({ built }) => built ?? []));
  const agent = await readSource(join(bootstraps, 'agent'));
  const java = wanted.has('java') ? await readSource(join(bootstraps, 'java')) : undefined;
  const python = wanted.has('python') ? await readSource(join(bootstraps, 'python')) : undefined;
  const interpreters = entries.filter((entry) => entry.folder?.startsWith('python')).map(languageSource);
  const machines = entries.filter((entry) => entry.folder?.startsWith('java')).map(languageSource);
  const needs = await toMake(rootfs, recipe, folder, entries);
  if (!(await isPlaced(agentFolder(root, agent), agentStamp(agent)))) needs.push('agent');
  if (java && !(await isPlaced(javaFolder(root, java), javaStamp(java, machines)))) needs.push('java');
  if (python && !(await isPlaced(pythonFolder(root, python), pythonStamp(python, interpreters))))
    needs.push('python');
  const launcherSource = await readSource(launcher);
  if (!(await isPlaced(launcherFolder(root, launcherSource), launcherStamp(launcherSource))))
    needs.push('agent');
  const missing = await whatIsMissing(needs);
  if (missing) throw new Error(missing);

  const reporter = (name: string) => (text: string) => print(`${name}: ${text}`);
  let patchelf: Promise<string> | undefined;
  const tools = { patchelf: () => (patchelf ??= makePatchelf(root, reporter('patchelf'))) };
  const built: Record<string, string> = {};
  await runAll([
    () => makeBaseRootfs(rootfs, recipe, reporter('base')),
    ...entries.map((entry) => () => makeLanguage(folder, entry, tools, reporter(entry.name))),
    async () => {
      built['launcher'] = await makeLauncher(root, launcher, launcherSource, reporter('launcher'));
    },
    async () => {
      built['agent'] = await makeAgent(root, join(bootstraps, 'agent'), agent, reporter('agent'));
    },
  ]);
  if (java) {
    const virtualMachines = entries.flatMap(({ folder: name }) => (name?.startsWith('java') ? [name] : []));
    const sources = join(bootstraps, 'java');
    const places = { root, rootfs, languages: folder, sources, virtualMachines };
    built['java'] = await makeJava(places, java, machines, reporter('java'));
  }
  if (python) {
    const folders = entries.flatMap(({ folder: name }) => (name?.startsWith('python') ? [name] : []));
    const sources = join(bootstraps, 'python');
    const places = { root, rootfs, languages: folder, sources, interpreters: folders };
    built['python'] = await makePython(places, python, interpreters, reporter('python'));
  }
  const places = { rootfs, languages: folder, bootstraps, built };
  await writeManifest(join(root, 'runtimes.json'), makeManifest(recipe, languages, places));
  print(`runtimes: ready in ${root}`);
}

function chosen(languages: LanguageDescriptor[], names: string[]): LanguageDescriptor[] {
  const known = languages.flatMap(({ runtimes }) => runtimes.map(({ name }) => name));
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`No runtime is called ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  if (names.length === 0) return languages;
  return languages
    .map((language) => ({
      ...language,
      runtimes: language.runtimes.filter(({ name }) => names.includes(name)),
    }))
    .filter(({ runtimes }) => runtimes.length > 0);
}

/** Every task is done to its end, so that a second try has less to do; then the first failure is thrown. */
async function runAll(tasks: (() => Promise<void>)[]): Promise<void> {
  const waiting = [...tasks];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift())
      await task().catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  if (failures.length > 0) throw failures[0];
}

async function toMake(rootfs: string, recipe: BaseRecipe, folder: string, entries: RuntimeEntry[]) {
  const hasBase = await isPlaced(rootfs, baseSource(recipe));
  const kinds = await Promise.all(
    entries.map(async (entry): Promise<Need[]> => {
      if (entry.folder === undefined || entry.source === undefined) return [];
      return (await isPlaced(join(folder, entry.folder), languageSource(entry))) ? [] : [entry.source.kind];
    }),
  );
  return [...(hasBase ? [] : ['root' as const]), ...kinds.flat()] as Need[];
}

async function writeManifest(path: string, manifest: RuntimeManifest): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(temporary, path);
}
