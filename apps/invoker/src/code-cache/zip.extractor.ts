import { createWriteStream } from 'node:fs';
import { mkdir, readlink, realpath, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { BadPackageError } from './code-cache.errors.js';

export interface UnpackLimits {
  /** scf-api Quotas: code 500 MB unzipped. */
  readonly bytes: number;
  readonly entries: number;
  /** How many times larger than the zip the files may be; deflate itself ends at about 1,000. */
  readonly ratio: number;
}

export const UNPACK_LIMITS: UnpackLimits = { bytes: 500 * 1024 * 1024, entries: 20_000, ratio: 200 };
/** The ratio of small packages says nothing: a page of spaces is no bomb. */
const RATIO_COUNTS_FROM_BYTES = 10 * 1024 * 1024;
const MAX_LINK_BYTES = 4096;

const TYPE_MASK = 0o170000;
const SYMLINK = 0o120000;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;

/**
 * Unpacks a zip into an empty folder. Files keep their executable bits and are readable by everyone; nothing is ever
 * written outside the folder, and no link leads out of it.
 * @returns the bytes written
 * @throws BadPackageError
 */
export async function unpackZip(
  zipPath: string,
  folder: string,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<number> {
  let zip: ZipFile;
  try {
    zip = await openPromise(zipPath, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true });
  } catch (error) {
    throw new BadPackageError(`the package is not a zip: ${reasonOf(error)}`, undefined, error);
  }
  try {
    return await new Unpacking(zip, folder, limits).run();
  } catch (error) {
    if (error instanceof BadPackageError || isSystemError(error)) throw error;
    throw new BadPackageError(`the package cannot be unpacked: ${reasonOf(error)}`, undefined, error);
  } finally {
    zip.close();
  }
}

class Unpacking {
  private bytes = 0;
  private entries = 0;
  /** Made last, so that no file is ever written through a link. */
  private readonly links: { path: string; target: string }[] = [];
  private readonly madeFolders = new Set<string>();

  constructor(
    private readonly zip: ZipFile,
    private readonly folder: string,
    private readonly limits: UnpackLimits,
  ) {}

  async run(): Promise<number> {
    for (;;) {
      // Refuses `..`, absolute names and backslashes by itself (strictFileNames).
      const entry = await this.nextEntry();
      if (entry === undefined) break;
      await this.unpack(entry);
    }
    for (const link of this.links) await this.makeLink(link);
    for (const link of this.links) await this.checkLink(link.path);
    return this.bytes;
  }

  private nextEntry(): Promise<Entry | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (fn: () => void): void => {
        this.zip.removeAllListeners('entry').removeAllListeners('end').removeAllListeners('error');
        fn();
      };
      this.zip.once('entry', (entry: Entry) => settle(() => resolve(entry)));
      this.zip.once('end', () => settle(() => resolve(undefined)));
      this.zip.once('error', (error: Error) => settle(() => reject(error)));
      this.zip.readEntry();
    });
  }

  private async unpack(entry: Entry): Promise<void> {
    this.count(entry);
    const path = join(this.folder, entry.fileName);
    const mode = entry.externalFileAttributes >>> 16;
    const type = mode & TYPE_MASK;
    if (entry.fileName.endsWith('/') || type === DIRECTORY) {
      await this.makeFolder(path);
      return;
    }
    await this.makeFolder(dirname(path));
    if (type === SYMLINK) {
      if (entry.uncompressedSize > MAX_LINK_BYTES) throw this.bad(entry, 'is a link with too long a target');
      this.links.push({ path, target: await text(await this.zip.openReadStreamPromise(entry)) });
      return;
    }
    if (type !== 0 && type !== REGULAR) throw this.bad(entry, 'is neither a file nor a folder');
    const executable = (mode & 0o111) !== 0;
    const file = createWriteStream(path, { mode: executable ? 0o755 : 0o644 });
    await pipeline(await this.zip.openReadStreamPromise(entry), file);
  }

  /** By what the zip says of itself: a stream that gives more than it said is an error of the reader. */
  private count(entry: Entry): void {
    this.entries++;
    this.bytes += entry.uncompressedSize;
    if (this.entries > this.limits.entries) {
      throw new BadPackageError(`the package has more than ${this.limits.entries} entries`);
    }
    if (this.bytes > this.limits.bytes) {
      throw new BadPackageError(
        `the package unpacks to more than ${Math.floor(this.limits.bytes / 1024 / 1024)} MB`,
      );
    }
    if (this.bytes > RATIO_COUNTS_FROM_BYTES && this.bytes > this.zip.fileSize * this.limits.ratio) {
      throw new BadPackageError(`the package unpacks to more than ${this.limits.ratio} times its size`);
    }
  }

  private async makeFolder(path: string): Promise<void> {
    if (this.madeFolders.has(path)) return;
    await mkdir(path, { recursive: true, mode: 0o755 });
    this.madeFolders.add(path);
  }

  private async makeLink({ path, target }: { path: string; target: string }): Promise<void> {
    if (isAbsolute(target) || !this.isInside(resolve(dirname(path), target)))
      throw this.badLink(path, target);
    await symlink(target, path);
  }

  /** A chain of links may lead out although each link looks harmless. */
  private async checkLink(path: string): Promise<void> {
    const real = await realpath(path).catch(() => undefined);
    // One that leads nowhere cannot lead out: its text was checked.
    if (real !== undefined && !this.isInside(real)) throw this.badLink(path, await readlink(path));
  }

  private isInside(path: string): boolean {
    return path === this.folder || path.startsWith(this.folder + sep);
  }

  private bad(entry: Entry, what: string): BadPackageError {
    return new BadPackageError(`the entry "${entry.fileName}" of the package ${what}`);
  }

  private badLink(path: string, target: string): BadPackageError {
    return new BadPackageError(
      `the link "${relative(this.folder, path)}" of the package leads outside: ${target}`,
    );
  }
}

function isSystemError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'syscall' in error &&
    'code' in error &&
    error.code !== 'EEXIST' &&
    error.code !== 'EISDIR' &&
    error.code !== 'ENOTDIR'
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
