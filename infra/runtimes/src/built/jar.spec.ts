import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import yauzl from 'yauzl';
import { makeJar } from './jar.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openscf-jar-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

it('packs a folder so that others can read it', async () => {
  await mkdir(join(folder, 'in/META-INF'), { recursive: true });
  await writeFile(join(folder, 'in/META-INF/MANIFEST.MF'), 'Main-Class: a.B\n');
  await writeFile(join(folder, 'in/ü.class'), Buffer.alloc(100_000, 7));
  await makeJar(join(folder, 'in'), join(folder, 'out.jar'));
  expect(await entriesOf(join(folder, 'out.jar'))).toEqual([
    ['META-INF/MANIFEST.MF', 16],
    ['ü.class', 100_000],
  ]);
});

function entriesOf(path: string): Promise<[string, number][]> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { decodeStrings: false }, (error, zip) => {
      if (error) return reject(error);
      const entries: [string, number][] = [];
      zip.on('entry', (entry: { fileName: Buffer | string; uncompressedSize: number }) =>
        entries.push([entry.fileName.toString(), entry.uncompressedSize]),
      );
      zip.on('end', () => resolve(entries)).on('error', reject);
    });
  });
}
