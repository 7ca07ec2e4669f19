import { copyFile, cp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeSource } from '../descriptor.ts';
import { copyArtifact } from '../maven.ts';
import { runCommand } from '../run-command.ts';
import { compileLibrary } from './python-library.ts';

type CpythonSource = Extract<RuntimeSource, { kind: 'maven-cpython' }>;

/** Parts of CPython's standard library that no function needs, and that weigh more than the rest. */
const TRIM = ['test', 'idlelib', 'tkinter', 'lib2to3', 'ensurepip', 'pydoc_data', 'turtledemo'];

/** The artifact `org.bytedeco:cpython` holds a relocatable CPython; its libraries are found beside `bin`. */
export async function fillFromMaven(
  folder: string,
  scratch: string,
  name: string,
  source: CpythonSource,
  patchelf: string,
): Promise<void> {
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x86_64';
  const jar = await copyArtifact(`org.bytedeco:cpython:${source.artifactVersion}:jar:${platform}`, scratch);
  await runCommand('unzip', ['-q', jar, `org/bytedeco/cpython/${platform}/*`], { cwd: scratch });
  const unpacked = join(scratch, 'org/bytedeco/cpython', platform);
  const short = source.version.split('.').slice(0, 2).join('.');
  const library = `lib/python${short}`;
  for (const part of TRIM) await rm(join(unpacked, library, part), { recursive: true, force: true });
  await mkdir(join(folder, 'bin'));
  await copyFile(join(unpacked, 'bin', `python${short}`), join(folder, 'bin', `python${short}`));
  await cp(join(unpacked, 'lib'), join(folder, 'lib'), { recursive: true });
  for (const file of await readdir(unpacked))
    if (file.includes('.so')) await copyFile(join(unpacked, file), join(folder, 'lib', file));
  await runCommand('chmod', ['755', join(folder, 'bin', `python${short}`)]);
  // Its libffi lies in lib; newer versions of the interpreter do not tell their modules to look there.
  const modules = join(folder, library, 'lib-dynload');
  for (const file of await readdir(modules))
    if (file.startsWith('_ctypes.'))
      await runCommand(patchelf, ['--set-rpath', '$ORIGIN/../..', join(modules, file)]);
  for (const link of ['python', 'python3']) await symlink(`python${short}`, join(folder, 'bin', link));
  await compileLibrary(folder, name, library);
}
