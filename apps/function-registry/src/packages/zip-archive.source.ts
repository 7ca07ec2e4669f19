import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { isDirectory, isLink, ZipEntryPolicy, ZipRefusedError, type ZipEntry } from './zip-entry.policy.js';

const ENCRYPTED_FLAG = 1;

function entryOf(entry: Entry): ZipEntry {
  return {
    name: entry.fileName,
    uncompressedBytes: entry.uncompressedSize,
    compressedBytes: entry.compressedSize,
    compressionMethod: entry.compressionMethod,
    encrypted: (entry.generalPurposeBitFlag & ENCRYPTED_FLAG) !== 0,
    mode: entry.externalFileAttributes >>> 16,
  };
}

/** What yauzl throws is about the file's structure, apart from errors of the disk, which carry a system code. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ZipRefusedError) return error;
  const system = 'syscall' in error;
  return system ? error : new ZipRefusedError(error.message);
}

/** Unpacks one entry without keeping it, so that a broken or lying one is found. */
async function readThrough(zip: ZipFile, entry: Entry, keep: boolean): Promise<Buffer> {
  const kept: Buffer[] = [];
  let sum = 0;
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    sum = crc32(chunk, sum);
    if (keep) kept.push(chunk);
  }
  if (sum !== entry.crc32)
    throw new ZipRefusedError(`${JSON.stringify(entry.fileName)} is damaged: its checksum is wrong`);
  return Buffer.concat(kept);
}

async function withZip<T>(path: string, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  try {
    const zip = await openPromise(path, {
      lazyEntries: true,
      autoClose: false,
      strictFileNames: true,
      validateEntrySizes: true,
    });
    try {
      return await use(zip);
    } finally {
      zip.close();
    }
  } catch (error) {
    throw refusalOf(error);
  }
}

/**
 * Reads a zip from its first to its last byte and throws `ZipRefusedError` when it cannot be unpacked safely.
 * Returns the bytes that it unpacks to.
 */
export function checkZip(path: string): Promise<number> {
  return withZip(path, async (zip) => {
    const policy = new ZipEntryPolicy();
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) {
      policy.admit(entryOf(entry));
      entries.push(entry);
    }
    if (entries.length === 0) throw new ZipRefusedError('it is empty');
    policy.finish();
    for (const entry of entries) {
      const known = entryOf(entry);
      if (isLink(known)) policy.admitLink(known, (await readThrough(zip, entry, true)).toString());
      else if (!isDirectory(known)) await readThrough(zip, entry, false);
    }
    return policy.unpackedBytes;
  });
}

/** The text of the first of `names` that the zip has, or undefined when it has none or it is larger than `maxBytes`. */
export function readZipText(
  path: string,
  names: readonly string[],
  maxBytes: number,
): Promise<string | undefined> {
  return withZip(path, async (zip) => {
    for await (const entry of zip.eachEntry()) {
      if (!names.includes(entry.fileName.replace(/^\.\//, ''))) continue;
      if (entry.uncompressedSize > maxBytes) return undefined;
      return (await readThrough(zip, entry, true)).toString();
    }
    return undefined;
  });
}
