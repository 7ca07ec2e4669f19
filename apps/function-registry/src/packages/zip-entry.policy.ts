import { CallerError } from '@openscf/contracts';
import { errorCodes, UNZIPPED_BYTES } from '@openscf/scf-api';

/** What a zip's central directory says of one entry. */
export interface ZipEntry {
  name: string;
  uncompressedBytes: number;
  compressedBytes: number;
  /** 0 stored, 8 deflated; others are not read. */
  compressionMethod: number;
  encrypted: boolean;
  /** Unix mode with the file type, or 0 when the zip was made on a system without one. */
  mode: number;
}

/** The zip of a function is not one that can be unpacked safely; the message names the entry and the reason. */
export class ZipRefusedError extends CallerError {
  constructor(reason: string) {
    super(errorCodes.badZipFile, `ZipFile is not accepted: ${reason}`);
  }
}

/** Ours, as are the next two; the invoker's unpacking accepts no less. Express with its dependencies has 700 files. */
const MAX_ENTRIES = 20_000;
/** Ours: source code is packed about 4:1, deflate reaches 1032:1. Small archives of anything are let through. */
const MAX_RATIO = 200;
const RATIO_FREE_BYTES = 10 * 1024 * 1024;
/** Linux: NAME_MAX and half of PATH_MAX, so that the folder it is unpacked in has room. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 2048;
const MAX_LINK_BYTES = 2048;

const FILE_TYPE = 0o170000;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const LINK = 0o120000;

export function isDirectory(entry: ZipEntry): boolean {
  return entry.name.endsWith('/') || (entry.mode & FILE_TYPE) === DIRECTORY;
}

export function isLink(entry: ZipEntry): boolean {
  return (entry.mode & FILE_TYPE) === LINK;
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

/** The entry's path without `.` and empty parts; refuses what leads out of the folder or cannot be a file's name. */
function pathOf(name: string): string {
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name))
    throw new ZipRefusedError(`${quoted(name)} is an absolute path`);
  if (name.includes('\\')) throw new ZipRefusedError(`${quoted(name)} contains a backslash`);
  if (name.includes('\0')) throw new ZipRefusedError(`${quoted(name)} contains a zero byte`);
  if (Buffer.byteLength(name) > MAX_PATH_BYTES) {
    throw new ZipRefusedError(`${quoted(name)} is longer than ${MAX_PATH_BYTES} bytes`);
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new ZipRefusedError(`${quoted(name)} leads out of the package ("..")`);
  const long = parts.find((part) => Buffer.byteLength(part) > MAX_NAME_BYTES);
  if (long !== undefined) {
    throw new ZipRefusedError(`a part of ${quoted(name)} is longer than ${MAX_NAME_BYTES} bytes`);
  }
  return parts.join('/');
}

/**
 * Decides over the entries of one zip. Call `admit` for each entry, `admitLink` for each link with its target, and `finish`.
 * Afterwards, unpacking in any order writes only inside the folder, at most `UNZIPPED_BYTES`:
 * 1. no path is absolute or has `..`; 2. no path occurs twice, and no file is also a folder; 3. no entry lies below a link;
 * 4. a link's target is relative and climbs no higher than the folder, and never climbs after it went down.
 */
export class ZipEntryPolicy {
  private readonly kinds = new Map<string, 'file' | 'folder' | 'link'>();
  private entries = 0;
  unpackedBytes = 0;
  private packedBytes = 0;

  admit(entry: ZipEntry): void {
    this.entries += 1;
    if (this.entries > MAX_ENTRIES) throw new ZipRefusedError(`it has more than ${MAX_ENTRIES} entries`);
    const path = pathOf(entry.name);
    this.admitContent(entry);
    const kind = isLink(entry) ? 'link' : isDirectory(entry) ? 'folder' : 'file';
    if (path === '') {
      if (kind !== 'folder') throw new ZipRefusedError(`${quoted(entry.name)} is not a file's name`);
      return;
    }
    const known = this.kinds.get(path);
    if (known !== undefined && (kind !== 'folder' || known !== 'folder')) {
      throw new ZipRefusedError(`${quoted(entry.name)} is there twice`);
    }
    this.kinds.set(path, kind);
  }

  admitLink(entry: ZipEntry, target: string): void {
    const refuse = (why: string) =>
      new ZipRefusedError(`the link ${quoted(entry.name)} to ${quoted(target)} ${why}`);
    if (target === '' || target.includes('\0')) throw refuse('has no usable target');
    if (target.startsWith('/')) throw refuse('is absolute');
    const parts = target.split('/').filter((part) => part !== '' && part !== '.');
    const down = parts.findIndex((part) => part !== '..');
    const climbs = down === -1 ? parts.length : down;
    if (parts.slice(climbs).includes('..')) throw refuse('has ".." after a folder');
    const depth = pathOf(entry.name).split('/').length - 1;
    if (climbs > depth) throw refuse('leads out of the package');
  }

  finish(): void {
    for (const path of this.kinds.keys()) {
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        const above = this.kinds.get(path.slice(0, end));
        if (above === 'link')
          throw new ZipRefusedError(`${quoted(path)} lies below the link ${quoted(path.slice(0, end))}`);
        if (above === 'file')
          throw new ZipRefusedError(`${quoted(path.slice(0, end))} is a file and a folder`);
      }
    }
    if (this.unpackedBytes > RATIO_FREE_BYTES && this.unpackedBytes > this.packedBytes * MAX_RATIO) {
      const ratio = Math.round(this.unpackedBytes / Math.max(1, this.packedBytes));
      throw new ZipRefusedError(`it unpacks to ${ratio} times its size, and ${MAX_RATIO} times are accepted`);
    }
  }

  private admitContent(entry: ZipEntry): void {
    const name = quoted(entry.name);
    if (entry.encrypted) throw new ZipRefusedError(`${name} is encrypted`);
    if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
      throw new ZipRefusedError(
        `${name} is packed with method ${entry.compressionMethod}; stored (0) and deflate (8) are accepted`,
      );
    }
    const type = entry.mode & FILE_TYPE;
    if (type !== 0 && type !== REGULAR && type !== DIRECTORY && type !== LINK) {
      throw new ZipRefusedError(`${name} is neither a file, a folder nor a link`);
    }
    if (isLink(entry) && entry.uncompressedBytes > MAX_LINK_BYTES) {
      throw new ZipRefusedError(`the link ${name} has a target of more than ${MAX_LINK_BYTES} bytes`);
    }
    this.unpackedBytes += entry.uncompressedBytes;
    this.packedBytes += entry.compressedBytes;
    if (this.unpackedBytes > UNZIPPED_BYTES) {
      throw new ZipRefusedError(
        `it unpacks to more than ${UNZIPPED_BYTES / 1024 / 1024} MB (reached at ${name}), which is the limit`,
      );
    }
  }
}
