import type { BaseRecipe, LanguageDescriptor, RuntimeEntry } from './descriptor.ts';

/** What the invoker reads (`<cache>/runtimes/runtimes.json`): all that it must know of a runtime. */
export interface RuntimeManifest {
  /** Absolute host path of the root file system. */
  rootfs: string;
  /** Absolute host path of the agent's folder, mounted at /var/runtime/agent; the program in it is `agent`. */
  agent?: string;
  /** Absolute host path of the program that starts sandboxes. */
  launcher?: string;
  runtimes: {
    name: string;
    language: string;
    version: string;
    /** Path of the interpreter in the instance; absent where the function brings its own program. */
    interpreter?: string;
    /** The command of an instance: interpreter and bootstrap. */
    command: string[];
    /** Environment that every instance of this runtime gets; the invoker adds what depends on the function. */
    env: Record<string, string>;
    mounts: { source: string; target: string; readOnly: true }[];
    /** What a user should know of it. */
    note?: string;
  }[];
  /** Names that the Cloud API accepts and this host cannot serve → why, and what would be needed. */
  missing: Record<string, string>;
}

export interface ManifestPlaces {
  rootfs: string;
  /** Host folder of all interpreters. */
  languages: string;
  /** Host folder with one folder of bootstrap files per language. */
  bootstraps: string;
  /** Host folders of the bootstraps that are built: language → folder; and the launcher's program. */
  built: Partial<Record<string, string>>;
}

export function makeManifest(
  recipe: BaseRecipe,
  languages: LanguageDescriptor[],
  places: ManifestPlaces,
): RuntimeManifest {
  const runtimes = languages.flatMap((descriptor) =>
    descriptor.runtimes.map((entry) => runtimeOf(recipe, descriptor, entry, places)),
  );
  const missing = Object.assign({}, ...languages.map(({ missing }) => missing ?? {})) as Record<
    string,
    string
  >;
  const { rootfs, built } = places;
  const programs = {
    ...(built['agent'] !== undefined && { agent: built['agent'] }),
    ...(built['launcher'] !== undefined && { launcher: built['launcher'] }),
  };
  return { rootfs, ...programs, runtimes, missing };
}

function runtimeOf(
  recipe: BaseRecipe,
  descriptor: LanguageDescriptor,
  entry: RuntimeEntry,
  { languages, bootstraps, built }: ManifestPlaces,
): RuntimeManifest['runtimes'][number] {
  const { language } = descriptor;
  const fill = (text: string) => text.replaceAll('{folder}', entry.folder ?? '');
  const own = Object.entries({ ...descriptor.env, ...entry.env }).map(([name, value]) => [name, fill(value)]);
  const bootstrap = built[language] ?? `${bootstraps}/${language}`;
  return {
    name: entry.name,
    language,
    version: entry.source?.version ?? '',
    ...(descriptor.interpreter !== undefined && { interpreter: fill(descriptor.interpreter) }),
    command: (entry.command ?? descriptor.command).map(fill),
    env: { ...recipe.env, ...(Object.fromEntries(own) as Record<string, string>) },
    mounts: [
      { source: languages, target: '/var/lang', readOnly: true },
      { source: bootstrap, target: `/var/runtime/${language}`, readOnly: true },
    ],
    ...(entry.note !== undefined && { note: entry.note }),
  };
}
