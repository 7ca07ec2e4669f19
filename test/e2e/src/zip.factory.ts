import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A zip with these files, by name; each may be a program. */
export async function zipOf(
  files: Readonly<Record<string, string | Buffer>>,
  compress = true,
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content), name, { compress, mode: 0o100755 });
  zip.end();
  return buffer(zip.outputStream);
}

/** A zip with everything below a folder, with the modes of its files. */
export async function zipOfFolder(folder: string): Promise<Buffer> {
  const zip = new ZipFile();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    zip.addBuffer(await readFile(path), relative(folder, path), { mode: (await stat(path)).mode });
  }
  zip.end();
  return buffer(zip.outputStream);
}

/** The zip's only entry gets another name of the same length, which no honest tool would write. */
export async function zipWithName(name: string, content: string): Promise<Buffer> {
  const honest = 'x'.repeat(name.length);
  const zip = await zipOf({ [honest]: content });
  return Buffer.from(zip.toString('latin1').replaceAll(honest, name), 'latin1');
}
