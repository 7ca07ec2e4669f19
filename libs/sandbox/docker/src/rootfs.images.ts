import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { addAbortSignal, type Readable } from 'node:stream';
import { SandboxError } from '@openscf/sandbox-api';
import type Docker from 'dockerode';
import { imageName } from './driver.names.js';
import { engineClient, type EngineOptions } from './engine.client.js';
import { ignoreGone } from './recovery.js';

/** For a root file system of some gigabytes on a slow disk. */
const IMPORT_TIMEOUT_MS = 600_000;

/** Root file systems as images of the engine, each made once. */
export class RootfsImages {
  private readonly images = new Map<string, Promise<string>>();
  private readonly docker: Docker;

  constructor(engine?: EngineOptions) {
    // The answer to an import begins when all has been sent.
    this.docker = engineClient({ ...engine, requestTimeoutMs: IMPORT_TIMEOUT_MS });
  }

  /** @returns the image's name */
  of(rootfs: string): Promise<string> {
    let image = this.images.get(rootfs);
    if (!image) {
      image = this.find(rootfs);
      this.images.set(rootfs, image);
      image.catch(() => this.images.delete(rootfs));
    }
    return image;
  }

  /** Removes the image, of an earlier life too, unless something runs from it. */
  async forget(rootfs: string): Promise<void> {
    await this.images.get(rootfs)?.catch(() => undefined);
    this.images.delete(rootfs);
    await this.docker.getImage(imageName(rootfs)).remove().catch(ignoreGone);
  }

  /** An image that is there already was made from the same content: the path is named by it. */
  private async find(rootfs: string): Promise<string> {
    const name = imageName(rootfs);
    const isThere = await this.docker
      .getImage(name)
      .inspect()
      .then(
        () => true,
        () => false,
      );
    if (!isThere) await this.make(rootfs, name);
    return name;
  }

  private async make(rootfs: string, name: string): Promise<void> {
    const tar = spawn('tar', ['-C', rootfs, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const packed = once(tar, 'close').then(([code]) => {
      if (code !== 0) throw new Error(`tar ended with ${code}`);
    });
    packed.catch(() => undefined);
    const [repo, tag] = name.split(':');
    try {
      const progress = await this.docker.importImage(tar.stdout, { repo, tag });
      await told(progress as Readable);
      // Of what tar could not read to its end the engine has made an image all the same.
      await packed.catch(async (error: unknown) => {
        await this.docker.getImage(name).remove();
        throw error;
      });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SandboxError(
        'start-failed',
        `${rootfs} did not become an image of the Docker engine: ${why}`,
        {
          cause,
        },
      );
    } finally {
      tar.kill('SIGKILL');
    }
  }
}

/** Reads what the engine tells of its progress, one JSON text a line, to the end. */
async function told(progress: Readable): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(AbortSignal.timeout(IMPORT_TIMEOUT_MS), progress))
    chunks.push(chunk as Buffer);
  for (const line of Buffer.concat(chunks).toString().split('\n').filter(Boolean)) {
    const { error } = JSON.parse(line) as { error?: string };
    if (error !== undefined) throw new Error(error);
  }
}
