import { chmod, mkdir, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LauncherProcess } from './launcher.process.js';
import { deviceOf, limitWrites, removeStaleRules, unlimitWrites } from './write-rate.js';

/** A small empty file system that becomes the `/tmp` of one sandbox at a time. */
export interface Scratch {
  megabytes: number;
  image: string;
  folder: string;
  /** Major and minor number: `7:3`. */
  device: string;
}

/** Kept ready from the beginning: what SCF gives a function. */
const USUAL_MB = 512;
/** Small files are what functions keep in /tmp: one of 16 KB on average fits. */
const INODES_PER_MB = 64;
const INODE_BYTES = 256;
const MB = 1024 * 1024;
/** Kept for the next sandboxes. */
const MOST_FREE = 24;
/** Superblocks, bitmaps and the root folder. */
const OVERHEAD_MB = 2;

/**
 * Scratch file systems on the host's disk: ext4 without a journal, in a sparse file. They bound what a sandbox writes to
 * `/tmp` exactly, and what is written is no memory of the sandbox: its pages are written back when memory is short.
 * Each is emptied after its sandbox has gone, and used again. Invariant: a scratch is free, taken, or being emptied.
 */
export class ScratchPool {
  private readonly free = new Map<number, Scratch[]>();
  private readonly templates = new Map<number, Promise<string>>();
  private readonly working = new Set<Promise<void>>();
  private readonly made = new Set<Scratch>();
  private lastNumber = 0;
  private refilling: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly launcher: LauncherProcess,
    /** On a disk: holds the images. */
    private readonly images: string,
    /** Holds the mounts. */
    private readonly mounts: string,
    private readonly ready: number,
  ) {}

  /** Whether this host can: it has loop devices, mkfs.ext4, and a folder for the images that can be written to. */
  async open(): Promise<boolean> {
    try {
      await mkdir(this.images, { recursive: true, mode: 0o700 });
      await mkdir(this.mounts, { recursive: true, mode: 0o711 });
      await removeStaleRules();
      this.giveBack(await this.take(USUAL_MB));
      return true;
    } catch {
      return false;
    }
  }

  async take(megabytes: number): Promise<Scratch> {
    const scratch = this.free.get(megabytes)?.pop() ?? (await this.make(megabytes));
    if (this.free.has(megabytes)) this.refill(megabytes);
    return scratch;
  }

  /** After all processes of the sandbox are gone. Does not wait until the scratch is empty. */
  giveBack(scratch: Scratch): void {
    const emptied = this.launcher
      .wipe(scratch.folder)
      .then(() => this.keepOrRemove(scratch))
      // What cannot be emptied or removed is not used again; `close` tries once more.
      .catch(() => undefined);
    this.track(emptied);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.refilling, ...this.working]);
    for (const scratch of this.made) await this.unmount(scratch);
    await rm(this.images, { recursive: true, force: true });
  }

  /** After a burst there are more than will soon be needed; each is one more mount that every start of a sandbox copies. */
  private async keepOrRemove(scratch: Scratch): Promise<void> {
    const free = this.free.get(scratch.megabytes)?.length ?? 0;
    if (free < Math.max(this.ready, MOST_FREE)) return this.keep(scratch);
    await this.unmount(scratch);
    await Promise.all([rmdir(scratch.folder), rm(scratch.image)]);
  }

  private async unmount(scratch: Scratch): Promise<void> {
    await this.launcher.unmount(scratch.folder);
    this.made.delete(scratch);
    await unlimitWrites(scratch.device);
  }

  private keep(scratch: Scratch): void {
    const list = this.free.get(scratch.megabytes) ?? [];
    list.push(scratch);
    this.free.set(scratch.megabytes, list);
  }

  private track(work: Promise<void>): void {
    const tracked = work.finally(() => this.working.delete(tracked));
    this.working.add(tracked);
  }

  private refill(megabytes: number): void {
    this.refilling ??= this.fill(megabytes)
      // The next `take` tries again, and reports to its caller.
      .catch(() => undefined)
      .finally(() => (this.refilling = undefined));
  }

  private async fill(megabytes: number): Promise<void> {
    while (!this.closed && (this.free.get(megabytes)?.length ?? 0) < this.ready)
      this.keep(await this.make(megabytes));
  }

  private async make(megabytes: number): Promise<Scratch> {
    let template = this.templates.get(megabytes);
    if (!template) {
      template = this.makeTemplate(megabytes);
      this.templates.set(megabytes, template);
      template.catch(() => this.templates.delete(megabytes));
    }
    const name = `${megabytes}-${(this.lastNumber += 1)}`;
    const [image, folder] = [join(this.images, name), join(this.mounts, name)];
    await this.launcher.mountScratch(await template, image, folder);
    const scratch = { megabytes, image, folder, device: await deviceOf(folder) };
    this.made.add(scratch);
    await limitWrites(scratch.device);
    return scratch;
  }

  /** An image with nothing in it but a folder that everyone may write to. */
  private async makeTemplate(megabytes: number): Promise<string> {
    const [raw, template] = [
      join(this.images, `raw-${megabytes}`),
      join(this.images, `template-${megabytes}`),
    ];
    const inodes = Math.max(256, megabytes * INODES_PER_MB);
    const file = await open(raw, 'w');
    await file.truncate(Math.ceil((megabytes + OVERHEAD_MB) * MB * 1.01 + inodes * INODE_BYTES));
    await file.close();
    const features = ['-O', '^has_journal,^resize_inode', '-E', 'lazy_itable_init=1,nodiscard'];
    const sizes = ['-b', '4096', '-I', `${INODE_BYTES}`, '-N', `${inodes}`, '-m', '0'];
    await this.launcher.command('mkfs.ext4', ['-q', '-F', ...features, ...sizes, raw]);
    const folder = join(this.mounts, `template-${megabytes}`);
    await this.launcher.mountScratch(raw, template, folder);
    await rmdir(join(folder, 'lost+found'));
    await chmod(folder, 0o1777);
    await this.launcher.unmount(folder);
    await rm(raw);
    return template;
  }
}
