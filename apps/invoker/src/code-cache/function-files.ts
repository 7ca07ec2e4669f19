import type { CodePackage, FunctionState, ImageCode, LayerState, SharedDirectory } from '@openscf/contracts';
import type { SandboxMount } from '@openscf/sandbox-api';
import type { ImageLease } from '../image-store/image-store.types.js';
import { CODE_ROOT, LAYERS_ROOT } from '../instance/instance-plan.factory.js';
import type { InstanceFiles } from '../instance/instance.types.js';
import type { CodeLease } from './code-cache.js';

export interface FunctionFilesOptions {
  readonly packages: { acquire(code: CodePackage): Promise<CodeLease> };
  readonly layers: { acquire(layers: readonly LayerState[]): Promise<CodeLease | undefined> };
  readonly images: { acquire(code: ImageCode): Promise<ImageLease> };
  readonly sharedDirectories: { mounts(directories: readonly SharedDirectory[]): Promise<SandboxMount[]> };
}

/** Makes ready on the host what instances of a function see of it. */
export class FunctionFiles {
  constructor(private readonly options: FunctionFilesOptions) {}

  /** @throws what the caches and the image store throw; then nothing is held */
  async acquire({ code, layers, sharedDirectories }: FunctionState): Promise<InstanceFiles> {
    const held: { release: () => void }[] = [];
    const hold = async <T extends { release: () => void } | undefined>(lease: Promise<T>): Promise<T> => {
      const got = await lease;
      if (got !== undefined) held.push(got);
      return got;
    };
    const parts = await Promise.allSettled([
      code.kind === 'package' ? hold(this.options.packages.acquire(code)) : undefined,
      layers.length > 0 ? hold(this.options.layers.acquire(layers)) : undefined,
      code.kind === 'image' ? hold(this.options.images.acquire(code)) : undefined,
      sharedDirectories.length > 0 ? this.options.sharedDirectories.mounts(sharedDirectories) : [],
    ]);
    const release = (): void => {
      for (const lease of held) lease.release();
    };
    const [own, opt, image, shares] = parts;
    if (
      own.status === 'rejected' ||
      opt.status === 'rejected' ||
      image.status === 'rejected' ||
      shares.status === 'rejected'
    ) {
      release();
      throw parts.find((part) => part.status === 'rejected')?.reason;
    }
    const mounts = [readOnly(own.value, CODE_ROOT), readOnly(opt.value, LAYERS_ROOT), shares.value].flat();
    return { mounts, ...(image.value && { image: image.value }), release };
  }
}

function readOnly(lease: CodeLease | undefined, target: string): SandboxMount[] {
  return lease === undefined ? [] : [{ source: lease.directory, target, readOnly: true }];
}
