import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyArtifact } from '../maven.ts';
import { isPlaced, place, temporaryBeside } from '../place.ts';
import { runCommand } from '../run-command.ts';
import { buildGo } from './go.ts';
import { makeJar } from './jar.ts';
import { makeSharedArchive } from './shared-archive.ts';
import type { Source } from './source.ts';

/** Eclipse's compiler: a jar that runs on any Java from 17 on, where a machine may have a Java without javac. */
const COMPILER = 'org.eclipse.jdt:ecj:3.33.0';
const COMPILER_OPTIONS = ['-source', '1.8', '-target', '1.8', '-nowarn', '-encoding', 'UTF-8', '-g'];
const FORMAT = 3;

export interface JavaPlaces {
  root: string;
  /** Host folders of the root file system and of the interpreters. */
  rootfs: string;
  languages: string;
  /** libs/runtimes/java. */
  sources: string;
  /** Folders of the JVMs, such as `java17`. */
  virtualMachines: string[];
}

/** The archives hold what the JVMs are, so that a newer JVM makes a new folder. */
export const javaStamp = ({ hash }: Source, machines: unknown) => ({ hash, machines, format: FORMAT });

export const javaFolder = (root: string, { hash }: Source) => join(root, 'built', `java-${hash}`);

/**
 * Compiles the bootstrap (libs/runtimes/java) for Java 8, and makes for each JVM an archive of its classes in the form that
 * the JVM maps into memory at its start.
 */
export async function makeJava(
  places: JavaPlaces,
  source: Source,
  machines: unknown,
  report: (text: string) => void,
): Promise<string> {
  const folder = javaFolder(places.root, source);
  const stamp = javaStamp(source, machines);
  if (await isPlaced(folder, stamp)) {
    report('there already');
    return folder;
  }
  await place(folder, stamp, async (temporary) => {
    report('compiling');
    await compile(places, temporary);
    await buildGo(join(places.sources, 'launcher'), join(temporary, 'launch'));
    for (const machine of places.virtualMachines) {
      report(`archiving classes for ${machine}`);
      await makeSharedArchive(places, temporary, machine);
    }
  });
  report('made');
  return folder;
}

/** The compiler is kept: tests use it, too. */
async function makeCompiler(root: string): Promise<string> {
  const folder = join(root, 'tools', 'ecj');
  await place(folder, COMPILER, async (temporary) => {
    const scratch = `${temporary}.scratch`;
    await mkdir(scratch);
    await rename(await copyArtifact(COMPILER, scratch), join(temporary, 'ecj.jar'));
    await rm(scratch, { recursive: true });
  });
  return join(folder, 'ecj.jar');
}

async function compile({ sources, languages, root }: JavaPlaces, folder: string): Promise<void> {
  const scratch = temporaryBeside(join(root, 'built', 'java'), 'scratch');
  try {
    await mkdir(scratch);
    const compiler = await makeCompiler(root);
    // Against the library of Java 8, so that nothing newer is called by mistake.
    const library = join(languages, 'java8', 'lib', 'rt.jar');
    for (const part of ['bootstrap', 'fallback']) {
      const classes = join(scratch, part);
      await cp(join(sources, part), classes, { recursive: true, filter: (path) => !path.endsWith('.java') });
      const args = ['-jar', compiler, ...COMPILER_OPTIONS, '-bootclasspath', library, '-d', classes];
      await runCommand('java', [...args, join(sources, part)]);
      await makeJar(classes, join(folder, `${part}.jar`));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
