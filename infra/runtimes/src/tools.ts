import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { place } from './place.ts';
import { unpackPackages } from './sources/debian.source.ts';

const PATCHELF = { suite: 'bookworm', packages: ['patchelf'], format: 1 };

/** Makes `patchelf` of Debian, with its own libraries beside it, so that the machine needs none; returns its path. */
export async function makePatchelf(root: string, report: (text: string) => void): Promise<string> {
  const folder = join(root, 'tools', 'patchelf');
  await mkdir(join(root, 'tools'), { recursive: true });
  const made = await place(folder, PATCHELF, async (temporary) => {
    report('fetching');
    await unpackPackages(`${temporary}.root`, PATCHELF.suite, PATCHELF.packages, false);
    await rename(`${temporary}.root`, join(temporary, 'root'));
    const script = [
      '#!/bin/sh',
      'root=$(dirname "$0")/root',
      'for loader in "$root"/lib/ld-linux*.so.* "$root"/lib64/ld-linux*.so.*; do [ -e "$loader" ] && break; done',
      'libraries=$(echo "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu | tr " " ":")',
      'exec "$loader" --library-path "$libraries" "$root/usr/bin/patchelf" "$@"',
    ];
    await writeFile(join(temporary, 'patchelf'), `${script.join('\n')}\n`);
    await chmod(join(temporary, 'patchelf'), 0o755);
  });
  if (made) report('made');
  return join(folder, 'patchelf');
}
