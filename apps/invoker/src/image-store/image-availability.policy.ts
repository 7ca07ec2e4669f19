import { IMAGE_RUNTIME } from '@openscf/scf-api';

/** Under this name an image function stands where others have a runtime. */
export const CUSTOM_IMAGE = IMAGE_RUNTIME;

/**
 * The runtimes of a host with images as one more of them: among those that it has, or among those that it lacks, with the reason.
 * @param agent host folder of the program that speaks for an image; undefined where it was not made
 */
export function withImages(
  runtimes: { readonly names: string[]; readonly missing: Readonly<Record<string, string>> },
  store: { readonly missing: string | undefined } | undefined,
  agent: string | undefined,
): { names: string[]; missing: Record<string, string> } {
  const lacking = whatImagesLack(store, agent);
  if (lacking === undefined)
    return { names: [...runtimes.names, CUSTOM_IMAGE], missing: { ...runtimes.missing } };
  return { names: [...runtimes.names], missing: { ...runtimes.missing, [CUSTOM_IMAGE]: lacking } };
}

/** Why a host cannot run images; undefined when it can. */
export function whatImagesLack(
  store: { readonly missing: string | undefined } | undefined,
  agent: string | undefined,
): string | undefined {
  if (store === undefined) return 'this host has no image store';
  if (store.missing !== undefined) return store.missing;
  return agent === undefined ? 'the agent that runs images was not made on this host' : undefined;
}
