import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JavaPlaces } from './java.ts';
import { runInRoot } from './root-command.ts';

/** Where the bootstrap's folder is mounted in instances: an archive holds only for the path that it was made at. */
const MOUNTED = '/var/runtime/java';

/**
 * Makes `<machine>.jsa` (class data sharing): a training run says which classes an invocation loads, and the JVM dumps
 * these, and those of its own list of usual ones, as it will map them. Java 8 has this for the classes of its own library only.
 */
export async function makeSharedArchive(places: JavaPlaces, folder: string, machine: string): Promise<void> {
  const archive = `-XX:SharedArchiveFile=${MOUNTED}/${machine}.jsa`;
  const program = `/var/lang/${machine}/bin/java`;
  if (machine === 'java8') {
    await runInRoot({ ...places, folder, mounted: MOUNTED }, [
      program,
      '-XX:+UnlockDiagnosticVMOptions',
      archive,
      '-Xshare:dump',
    ]);
    return;
  }
  const classPath = ['-cp', `${MOUNTED}/bootstrap.jar`];
  const list = join(folder, 'classes.lst');
  const listInRoot = `${MOUNTED}/classes.lst`;
  const training = ['-Xshare:off', `-XX:DumpLoadedClassList=${listInRoot}`, ...classPath, 'openscf.Training'];
  await runInRoot({ ...places, folder, mounted: MOUNTED }, [program, ...training]);
  // Names that the JVM makes up at run time cannot be archived, and stop some versions.
  const usual = await readFile(join(places.languages, machine, 'lib/classlist'), 'utf8').catch(() => '');
  const lines = [...new Set(`${usual}\n${await readFile(list, 'utf8')}`.split('\n'))];
  await writeFile(list, lines.filter((line) => !/\$\$Lambda\$\d|LambdaForm\$MH\//.test(line)).join('\n'));
  const dump = ['-Xshare:dump', `-XX:SharedClassListFile=${listInRoot}`, archive, ...classPath];
  await runInRoot({ ...places, folder, mounted: MOUNTED }, [program, '-XX:+UseSerialGC', ...dump]);
  await rm(list);
}
