import type { BaseRecipe, LanguageDescriptor } from './descriptor.ts';

/** What the invoker reads (`<cache>/runtimes/runtimes.json`): all that it must know of a runtime. */
export interface RuntimeManifest {
  /** Absolute host path of the root file system. */
  rootfs: string;
  runtimes: {
    name: string;
    language: string;
    version: string;
    /** Path of the interpreter in the instance. */
    interpreter: string;
    /** The command of an instance: interpreter and bootstrap. */
    command: string[];
    /** Environment that every instance of this runtime gets; the invoker adds what depends on the function. */
    env: Record<string, string>;
    mounts: { source: string; target: string; readOnly: true }[];
  }[];
}

export interface ManifestPlaces {
  rootfs: string;
  /** Host folder of all interpreters. */
  languages: string;
  /** Host folder with one folder of bootstrap files per language. */
  bootstraps: string;
}

export function makeManifest(
  recipe: BaseRecipe,
  languages: LanguageDescriptor[],
  places: ManifestPlaces,
): RuntimeManifest {
  const runtimes = languages.flatMap((descriptor) =>
    descriptor.runtimes.map((entry) => {
      const fill = (text: string) => text.replaceAll('{folder}', entry.folder);
      const own = Object.entries(descriptor.env).map(([name, value]) => [name, fill(value)] as const);
      return {
        name: entry.name,
        language: descriptor.language,
        version: entry.source.version,
        interpreter: fill(descriptor.interpreter),
        command: descriptor.command.map(fill),
        env: { ...recipe.env, ...Object.fromEntries(own) },
        mounts: [
          { source: places.languages, target: '/var/lang', readOnly: true as const },
          {
            source: `${places.bootstraps}/${descriptor.language}`,
            target: `/var/runtime/${descriptor.language}`,
            readOnly: true as const,
          },
        ],
      };
    }),
  );
  return { rootfs: places.rootfs, runtimes };
}
