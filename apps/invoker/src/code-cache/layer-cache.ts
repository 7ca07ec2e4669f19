import { createHash, randomBytes } from 'node:crypto';
import {
  lstat,
  link,
  mkdir,
  opendir,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { CodePackage } from '@openscf/contracts';
import type { CodeLease } from './code-cache.js';

export interface LayerCacheOptions {
  /** Absolute folder on the file system of the code cache: merged folders share its files by hard links. */
  readonly root: string;
  readonly packages: { acquire(code: CodePackage): Promise<CodeLease> };
}

interface Merged {
  readonly directory: string;
  users: number;
  usedAt: number;
}

/** Merged folders that nobody uses and that are kept all the same: they hold nearly no disk while their layers are cached. */
const MOST_UNUSED = 50;
const TEMPORARY = '.part-';

/**
 * Lists of layers as one folder each, for `/opt`: where files meet, the later layer's is seen.
 *
 * A single layer is the code cache's own folder. Several are merged once per ordered list of their hashes, beside the
 * place and then renamed into it.
 */
export class LayerCache {
  private readonly merged = new Map<string, Merged>();
  private readonly filling = new Map<string, Promise<Merged>>();
  private root = '';

  constructor(private readonly options: LayerCacheOptions) {}

  /** To be called once, first. */
  async open(): Promise<void> {
    await mkdir(this.options.root, { recursive: true, mode: 0o755 });
    this.root = await realpath(this.options.root);
    // What an earlier life has merged is made again when it is wanted: that is cheap.
    for (const name of await readdir(this.root))
      await rm(join(this.root, name), { recursive: true, force: true });
  }

  /** @returns undefined for no layers @throws what the code cache throws */
  async acquire(layers: readonly CodePackage[]): Promise<CodeLease | undefined> {
    const [first, ...others] = layers;
    if (first === undefined) return undefined;
    if (others.length === 0) return this.options.packages.acquire(first);
    const key = createHash('sha256')
      .update(layers.map(({ sha256 }) => sha256).join('\n'))
      .digest('hex');
    const merged = this.merged.get(key) ?? (await this.fill(key, layers));
    merged.users++;
    merged.usedAt = Date.now();
    let released = false;
    return {
      directory: merged.directory,
      release: () => {
        if (released) return;
        released = true;
        merged.users--;
      },
    };
  }

  private fill(key: string, layers: readonly CodePackage[]): Promise<Merged> {
    let filling = this.filling.get(key);
    if (filling === undefined) {
      filling = this.make(key, layers).finally(() => this.filling.delete(key));
      this.filling.set(key, filling);
    }
    return filling;
  }

  private async make(key: string, layers: readonly CodePackage[]): Promise<Merged> {
    const temporary = join(this.root, `${TEMPORARY}${key.slice(0, 12)}-${randomBytes(4).toString('hex')}`);
    const directory = join(this.root, key);
    const leases = await Promise.all(layers.map((layer) => this.options.packages.acquire(layer)));
    try {
      await mkdir(temporary, { mode: 0o755 });
      for (const lease of leases) await lay(lease.directory, temporary);
      await rename(temporary, directory);
      const made = { directory, users: 0, usedAt: Date.now() };
      this.merged.set(key, made);
      await this.evict(made);
      return made;
    } finally {
      await rm(temporary, { recursive: true, force: true });
      for (const lease of leases) lease.release();
    }
  }

  private async evict(newest: Merged): Promise<void> {
    const unused = [...this.merged].filter(([, entry]) => entry.users === 0 && entry !== newest);
    const oldest = unused.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [key, { directory }] of oldest.slice(0, Math.max(0, unused.length - MOST_UNUSED))) {
      this.merged.delete(key);
      const aside = join(this.root, `${TEMPORARY}old-${randomBytes(8).toString('hex')}`);
      await rename(directory, aside);
      await rm(aside, { recursive: true, force: true });
    }
  }
}

/** Puts what is in `source` over what is in `target`. Packages hold files, folders and links that stay inside. */
async function lay(source: string, target: string): Promise<void> {
  for await (const entry of await opendir(source)) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    const there = await lstat(to).catch(() => undefined);
    if (entry.isDirectory()) {
      if (there?.isDirectory() !== true) {
        await rm(to, { force: true });
        await mkdir(to, { mode: 0o755 });
      }
      await lay(from, to);
      continue;
    }
    if (there !== undefined) await rm(to, { recursive: true, force: true });
    if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else await link(from, to);
  }
}
