import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DebianSource } from '../descriptor.ts';
import { runDownload } from '../run-command.ts';
import { carryLibraries } from './carried-libraries.ts';
import { compileLibrary } from './python-library.ts';
import { copyResolved } from './copy-resolved.ts';
import { writeTrustStore } from './trust-store.ts';

/** Debian's names of the processors. */
export const DEBIAN_ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** Unpacks packages and all that they depend on into a new folder; nothing of them runs. */
export async function unpackPackages(
  root: string,
  suite: string,
  packages: string[],
  rolling: boolean,
): Promise<void> {
  const args = [
    ...['--mode=root', '--variant=extract', '--quiet', `--include=${packages.join(',')}`],
    ...['--aptopt=Acquire::Retries "5"', '--aptopt=Acquire::Languages "none"'],
    ...(rolling ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
  ];
  const cleanUp = () => rm(root, { recursive: true, force: true });
  await runDownload('mmdebstrap', [...args, suite, root], { cleanUp });
}

/** Unpacks Debian packages without installing them, and keeps what the runtime needs and the libraries of that. */
export async function fillFromDebian(
  folder: string,
  scratch: string,
  name: string,
  source: DebianSource,
  patchelf: string,
): Promise<void> {
  const root = join(scratch, 'root');
  await unpackPackages(root, source.suite, source.packages, source.rolling === true);
  const kept = join(scratch, 'kept');
  const architecture = DEBIAN_ARCHITECTURES[process.arch] ?? process.arch;
  for (const [from, to] of Object.entries(source.take))
    await copyResolved(root, from.replaceAll('{arch}', architecture), join(kept, to));
  for (const [link, target] of Object.entries(source.links ?? {})) {
    await mkdir(dirname(join(kept, link)), { recursive: true });
    await symlink(target, join(kept, link));
  }
  for (const [path, lines] of Object.entries(source.files ?? {})) {
    await mkdir(dirname(join(kept, path)), { recursive: true });
    await writeFile(join(kept, path), lines.map((line) => `${line.replaceAll('{folder}', name)}\n`).join(''));
  }
  await carryLibraries({ root, kept, name, ownLibc: source.ownLibc === true, patchelf });
  if (source.trustStore !== undefined)
    await writeTrustStore(join(root, 'usr/share/ca-certificates/mozilla'), join(kept, source.trustStore));
  if (source.compile !== undefined) await compileLibrary(kept, name, source.compile);
  await rename(kept, folder);
}
