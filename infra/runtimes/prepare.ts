/**
 * Fills ${OPENSCF_CACHE:-~/.cache/openscf}/runtimes with what instances run on, and writes `runtimes.json` there, which
 * the invoker reads. Safe to run again and at any time: what is complete is kept, everything appears at once or not at all.
 *
 * Usage: node infra/runtimes/prepare.ts [runtime ...]      (default: all; names as the Cloud API has them)
 * Prints one line `name: text` for each step. Needs root on Debian or Ubuntu.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { baseFolderName, baseSource, makeBaseRootfs } from './src/base-rootfs.ts';
import {
  loadBaseRecipe,
  loadLanguages,
  type BaseRecipe,
  type LanguageDescriptor,
  type RuntimeEntry,
} from './src/descriptor.ts';
import { makeLanguage } from './src/languages.ts';
import { makeManifest, type RuntimeManifest } from './src/manifest.ts';
import { isPlaced, sweep } from './src/place.ts';
import { whatIsMissing } from './src/requirements.ts';

const recipes = import.meta.dirname;
const project = resolve(recipes, '../..');

/** At once: downloads overlap, and no more processors than two are kept busy. */
const PARALLEL = 3;

function reporter(name: string) {
  return (text: string) => console.log(`${name}: ${text}`);
}

function chosen(languages: LanguageDescriptor[], names: string[]): LanguageDescriptor[] {
  const known = languages.flatMap(({ runtimes }) => runtimes.map(({ name }) => name));
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`No runtime is called ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  if (names.length === 0) return languages;
  return languages.map((language) => ({
    ...language,
    runtimes: language.runtimes.filter(({ name }) => names.includes(name)),
  }));
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
    entries.map(async ({ folder: name, source }) =>
      (await isPlaced(join(folder, name), source)) ? [] : [source.kind],
    ),
  );
  return [...(hasBase ? [] : ['base' as const]), ...kinds.flat()];
}

async function writeManifest(path: string, manifest: RuntimeManifest): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(temporary, path);
}

async function main(): Promise<void> {
  const cache = process.env['OPENSCF_CACHE'] || join(homedir(), '.cache', 'openscf');
  const root = join(resolve(cache), 'runtimes');
  const all = await loadLanguages(recipes);
  const recipe = await loadBaseRecipe(recipes, all);
  const languages = chosen(all, process.argv.slice(2));
  const rootfs = join(root, 'rootfs', baseFolderName(recipe, process.arch));
  const folder = join(root, 'lang');
  for (const place of [folder, join(root, 'rootfs')]) {
    await mkdir(place, { recursive: true });
    await sweep(place);
  }
  const entries = languages.flatMap(({ runtimes }) => runtimes);
  const missing = await whatIsMissing(await toMake(rootfs, recipe, folder, entries));
  if (missing) throw new Error(missing);
  await runAll([
    () => makeBaseRootfs(rootfs, recipe, reporter('base')),
    ...entries.map((entry) => () => makeLanguage(folder, entry, reporter(entry.name))),
  ]);
  const places = { rootfs, languages: folder, bootstraps: join(project, 'libs', 'runtimes') };
  await writeManifest(join(root, 'runtimes.json'), makeManifest(recipe, languages, places));
  console.log(`runtimes: ready in ${root}`);
}

main().catch((error: unknown) => {
  console.error(`runtimes: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
