import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CodePackage } from '@openscf/contracts';
import { BadPackageError } from './code-cache.errors.js';
import { unpackZip } from './zip.extractor.js';

export interface CodeCacheOptions {
  /** Absolute folder; holds one folder per package, named by its hash. */
  readonly root: string;
  readonly maxBytes: number;
  /** Opens a package of the object store. */
  readonly fetch: (objectKey: string) => Promise<Readable>;
  readonly log: (fields: object, message: string) => void;
}

/** The code of an instance, which stays where it is until `release`. */
export interface CodeLease {
  readonly directory: string;
  readonly release: () => void;
}

interface CachedPackage {
  readonly directory: string;
  readonly bytes: number;
  users: number;
  usedAt: number;
}

/** A package has at most 50 MB: an object store that is slower than this has hung. */
const FETCH_TIMEOUT_MS = 60_000;
const TEMPORARY = '.part-';
const SIZE_SUFFIX = '.bytes';

/**
 * Unpacked code packages, by the hash of the zip.
 *
 * 1. A folder named by a hash is complete: it is filled beside its place and renamed into it.
 * 2. A package is fetched once, however many ask for it at the same time.
 * 3. What an instance uses is never removed; of the rest the least recently used goes when the cache is over its size.
 */
export class CodeCache {
  private readonly packages = new Map<string, CachedPackage>();
  private readonly filling = new Map<string, Promise<CachedPackage>>();
  private root = '';

  constructor(private readonly options: CodeCacheOptions) {}

  /** Finds what an earlier life has left and removes what it did not finish. To be called once, first. */
  async open(): Promise<void> {
    await mkdir(this.options.root, { recursive: true, mode: 0o755 });
    this.root = await realpath(this.options.root);
    for (const name of await readdir(this.root)) {
      const path = join(this.root, name);
      if (/^[0-9a-f]{64}$/.test(name)) {
        const bytes = Number(await readFile(path + SIZE_SUFFIX, 'utf8').catch(() => '0'));
        const { mtimeMs } = await stat(path);
        this.packages.set(name, { directory: path, bytes, users: 0, usedAt: mtimeMs });
      } else if (name.startsWith(TEMPORARY)) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }

  /** @throws BadPackageError, and what the object store throws */
  async acquire(code: CodePackage): Promise<CodeLease> {
    const cached = this.packages.get(code.sha256) ?? (await this.fill(code));
    cached.users++;
    cached.usedAt = Date.now();
    let released = false;
    return {
      directory: cached.directory,
      release: () => {
        if (released) return;
        released = true;
        cached.users--;
      },
    };
  }

  private fill(code: CodePackage): Promise<CachedPackage> {
    let filling = this.filling.get(code.sha256);
    if (filling === undefined) {
      filling = this.make(code).finally(() => this.filling.delete(code.sha256));
      this.filling.set(code.sha256, filling);
    }
    return filling;
  }

  private async make(code: CodePackage): Promise<CachedPackage> {
    const temporary = join(
      this.root,
      `${TEMPORARY}${code.sha256.slice(0, 12)}-${randomBytes(4).toString('hex')}`,
    );
    const zip = `${temporary}.zip`;
    const directory = join(this.root, code.sha256);
    try {
      await this.download(code, zip);
      await mkdir(temporary, { mode: 0o755 });
      const bytes = await unpackZip(zip, temporary);
      // Whatever the umask was: instances read it as another user.
      await chmod(temporary, 0o755);
      await writeFile(directory + SIZE_SUFFIX, String(bytes));
      await rename(temporary, directory);
      const made = { directory, bytes, users: 0, usedAt: Date.now() };
      this.packages.set(code.sha256, made);
      await this.evict(made);
      return made;
    } finally {
      await rm(zip, { force: true });
      await rm(temporary, { recursive: true, force: true });
    }
  }

  private async download(code: CodePackage, path: string): Promise<void> {
    const hash = createHash('sha256');
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    await pipeline(await this.options.fetch(code.objectKey), hashing, createWriteStream(path), { signal });
    const found = hash.digest('hex');
    if (found !== code.sha256) {
      throw new BadPackageError(
        `the package ${code.objectKey} is not what was deployed: its hash is ${found}`,
      );
    }
  }

  private async evict(newest: CachedPackage): Promise<void> {
    let total = 0;
    for (const { bytes } of this.packages.values()) total += bytes;
    const unused = [...this.packages].filter(([, entry]) => entry.users === 0 && entry !== newest);
    for (const [sha256, entry] of unused.sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
      if (total <= this.options.maxBytes) return;
      total -= entry.bytes;
      this.packages.delete(sha256);
      this.options.log({ sha256, bytes: entry.bytes }, 'code package evicted');
      // Away at once, so that a fetch of the same package finds its place free.
      const aside = join(
        this.root,
        `${TEMPORARY}old-${sha256.slice(0, 12)}-${randomBytes(4).toString('hex')}`,
      );
      await rename(entry.directory, aside);
      await rm(aside, { recursive: true, force: true });
      await rm(entry.directory + SIZE_SUFFIX, { force: true });
    }
  }
}
