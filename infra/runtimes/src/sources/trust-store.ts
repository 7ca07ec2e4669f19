import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What every Java expects of its own trust store. */
const PASSWORD = 'changeit';
const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;

/** Writes the certificates (PEM files `*.crt`) of a folder as a Java key store (JKS), which all versions of Java read. */
export async function writeTrustStore(certificates: string, path: string): Promise<void> {
  const names = (await readdir(certificates)).filter((name) => name.endsWith('.crt')).sort();
  const entries = await Promise.all(
    names.map(async (name) => {
      const { raw } = new X509Certificate(await readFile(join(certificates, name)));
      return Buffer.concat([
        uint32(TRUSTED_CERTIFICATE),
        text(name.replace(/\.crt$/, '').toLowerCase()),
        Buffer.alloc(8), // Its date: none, so that the same certificates make the same file.
        text('X.509'),
        uint32(raw.length),
        raw,
      ]);
    }),
  );
  const data = Buffer.concat([uint32(MAGIC), uint32(VERSION), uint32(entries.length), ...entries]);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.concat([data, digest(data)]));
}

function digest(data: Buffer): Buffer {
  const password = Buffer.from(PASSWORD, 'utf16le').swap16();
  return createHash('sha1').update(password).update('Mighty Aphrodite').update(data).digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
