import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageCode } from '@openscf/contracts';
import {
  ImageError,
  parseImageReference,
  unpackImage,
  type ImageConfig,
  type ImageRegistry,
} from '@openscf/oci';
import { finishImageRoot } from './image-root.js';
import type { ImageLease } from './image-store.types.js';

export interface ImageStoreOptions {
  /** Absolute folder; holds one folder per image, named by its digest. */
  readonly root: string;
  readonly maxBytes: number;
  readonly registry: Pick<ImageRegistry, 'pull'>;
  /** Why this host cannot run images; undefined when it can. */
  readonly missing: string | undefined;
  /** For pulling and unpacking together. */
  readonly pullTimeoutMs: number;
  /** Content of /etc/resolv.conf in instances. */
  readonly resolvConf: () => Promise<string>;
  /** An image goes whose root file system was at this path. */
  readonly forgetRoot: (rootfs: string) => Promise<void>;
  readonly log: (fields: object, message: string) => void;
}

interface StoredImage {
  readonly folder: string;
  readonly rootfs: string;
  readonly config: ImageConfig;
  readonly bytes: number;
  users: number;
  usedAt: number;
}

/** What stands in `image.json`. */
interface Description {
  readonly format: number;
  /** Name of the root's folder. */
  readonly rootfs: string;
  readonly bytes: number;
  readonly config: ImageConfig;
}

/** Raise it when what `finishImageRoot` makes changes: what an earlier version has left is not used then. */
const FORMAT = 1;
const DESCRIPTION = 'image.json';
const TEMPORARY = '.part-';
const ALGORITHM = 'sha256:';

/**
 * Images, each flattened once into a root file system that its instances share read-only, by digest.
 *
 * 1. A folder named by a digest is complete: it is filled beside its place and renamed into it.
 * 2. An image is pulled once, however many ask for it at the same time, by the digest that was deployed.
 * 3. What an instance uses is never removed; of the rest the least recently used goes when the store is over its size.
 * 4. A root is never made twice at one path: sandbox drivers keep a mount of it until they are told that it goes.
 */
export class ImageStore {
  private readonly images = new Map<string, StoredImage>();
  private readonly filling = new Map<string, Promise<StoredImage>>();
  private readonly closing = new AbortController();
  /** Pulls ahead of need, one after the other. */
  private ahead: Promise<unknown> = Promise.resolve();
  private root = '';

  constructor(private readonly options: ImageStoreOptions) {}

  /** Why this host cannot run images; undefined when it can. */
  get missing(): string | undefined {
    return this.options.missing;
  }

  /** Finds what an earlier life has left and removes what it did not finish. To be called once, first. */
  async open(): Promise<void> {
    await mkdir(this.options.root, { recursive: true, mode: 0o755 });
    this.root = await realpath(this.options.root);
    for (const name of await readdir(this.root)) {
      const folder = join(this.root, name);
      const found = /^[0-9a-f]{64}$/.test(name) ? await describe(folder) : undefined;
      if (found !== undefined) this.images.set(ALGORITHM + name, found);
      else await rm(folder, { recursive: true, force: true });
    }
  }

  /** Would `acquire` have it at once? */
  has({ digest }: ImageCode): boolean {
    return this.images.has(digest);
  }

  /** @throws ImageError */
  async acquire(code: ImageCode): Promise<ImageLease> {
    const { missing } = this.options;
    if (missing !== undefined) throw new ImageError('tools-missing', code.imageUri, missing);
    let stored = this.images.get(code.digest);
    // What has just been filled may have been evicted for another one before we are told.
    while (stored === undefined || this.images.get(code.digest) !== stored) stored = await this.fill(code);
    stored.users++;
    stored.usedAt = Date.now();
    let released = false;
    return {
      rootfs: stored.rootfs,
      config: stored.config,
      release: () => {
        if (released) return;
        released = true;
        stored.users--;
      },
    };
  }

  /**
   * Pulls an image before somebody waits for it, where there is room without removing another one. Never rejects: whoever needs it will
   * try again, and be told why not.
   */
  prefetch(code: ImageCode): Promise<void> {
    const pull = async (): Promise<void> => {
      if (this.closing.signal.aborted || this.options.missing !== undefined) return;
      if (this.images.has(code.digest) || !this.hasRoomFor(code)) return;
      await this.fill(code);
    };
    const pulled = this.ahead.then(pull).catch((error: unknown) => {
      this.options.log({ image: code.imageUri, error: String(error) }, 'image not pulled ahead');
    });
    this.ahead = pulled;
    return pulled;
  }

  /** Gives up what is being pulled. */
  close(): void {
    this.closing.abort();
  }

  /** Unpacked, an image has about three times the size of its layers. */
  private hasRoomFor({ sizeBytes }: ImageCode): boolean {
    return this.totalBytes + 3 * sizeBytes <= this.options.maxBytes;
  }

  private get totalBytes(): number {
    return [...this.images.values()].reduce((total, { bytes }) => total + bytes, 0);
  }

  private fill(code: ImageCode): Promise<StoredImage> {
    let filling = this.filling.get(code.digest);
    if (filling === undefined) {
      filling = this.make(code).finally(() => this.filling.delete(code.digest));
      this.filling.set(code.digest, filling);
    }
    return filling;
  }

  private async make(code: ImageCode): Promise<StoredImage> {
    const { digest, imageUri } = code;
    const hex = digest.slice(ALGORITHM.length);
    const temporary = this.temporary(hex);
    const startedAt = performance.now();
    try {
      await mkdir(temporary, { mode: 0o755 });
      const signal = AbortSignal.any([AbortSignal.timeout(this.options.pullTimeoutMs), this.closing.signal]);
      const layout = join(temporary, 'layout');
      const reference = { ...parseImageReference(imageUri), digest };
      const { config, sizeBytes } = await this.options.registry.pull(reference, layout, { signal });
      const pulledAt = performance.now();
      const name = `root-${randomBytes(4).toString('hex')}`;
      const rootfs = join(temporary, name);
      const bytes = await unpackImage(layout, rootfs, { image: imageUri, signal });
      await rm(layout, { recursive: true });
      await this.finish(imageUri, rootfs, config);
      const description: Description = { format: FORMAT, rootfs: name, bytes, config };
      await writeFile(join(temporary, DESCRIPTION), JSON.stringify(description));
      const folder = join(this.root, hex);
      // Only what an eviction could not remove.
      await rm(folder, { recursive: true, force: true });
      await rename(temporary, folder);
      const made = stored(folder, description, Date.now());
      this.images.set(digest, made);
      const [pullMs, unpackMs] = [pulledAt - startedAt, performance.now() - pulledAt].map(Math.round);
      this.options.log({ image: imageUri, digest, sizeBytes, bytes, pullMs, unpackMs }, 'image pulled');
      await this.evict(made).catch((error: unknown) => {
        this.options.log({ error: String(error) }, 'image cannot be evicted');
      });
      return made;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  private async finish(imageUri: string, rootfs: string, { workingDir }: ImageConfig): Promise<void> {
    const resolvConf = await this.options.resolvConf();
    try {
      await finishImageRoot(rootfs, { resolvConf, workingDir });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ImageError('broken', imageUri, `its root file system cannot be used (${why})`, error);
    }
  }

  private async evict(newest: StoredImage): Promise<void> {
    let total = this.totalBytes;
    const unused = [...this.images].filter(([, image]) => image.users === 0 && image !== newest);
    for (const [digest, image] of unused.sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
      if (total <= this.options.maxBytes) return;
      // Somebody may have come for it while another one was removed.
      if (image.users > 0) continue;
      total -= image.bytes;
      this.images.delete(digest);
      this.options.log({ digest, bytes: image.bytes }, 'image evicted');
      // Away at once, so that a pull of the same image finds its place free.
      const aside = this.temporary(`old-${digest.slice(ALGORITHM.length)}`);
      await rename(image.folder, aside);
      try {
        await this.options.forgetRoot(image.rootfs);
      } finally {
        await rm(aside, { recursive: true, force: true });
      }
    }
  }

  private temporary(name: string): string {
    return join(this.root, `${TEMPORARY}${name.slice(0, 16)}-${randomBytes(4).toString('hex')}`);
  }
}

function stored(folder: string, { rootfs, bytes, config }: Description, usedAt: number): StoredImage {
  return { folder, rootfs: join(folder, rootfs), config, bytes, users: 0, usedAt };
}

/** What we have written ourselves, or undefined. */
async function describe(folder: string): Promise<StoredImage | undefined> {
  try {
    const description = JSON.parse(await readFile(join(folder, DESCRIPTION), 'utf8')) as Description;
    if (description.format !== FORMAT) return undefined;
    return stored(folder, description, (await stat(folder)).mtimeMs);
  } catch {
    return undefined;
  }
}
