import type { CodePackage, FunctionState, ImageCode, LayerState, SharedDirectory } from '@openscf/contracts';
import type { SandboxMount } from '@openscf/sandbox-api';
import type { ImageLease } from '../image-store/image-store.types.js';
import { CODE_ROOT, COMPILE_CACHE_ROOT, LAYERS_ROOT } from '../instance/instance-plan.factory.js';
import type { InstanceFiles } from '../instance/instance.types.js';
import type { CodeLease } from './code-cache.js';
import { compileKeyOf, type CompileCache } from './compile-cache.js';

export interface FunctionFilesOptions {
  readonly packages: { acquire(code: CodePackage): Promise<CodeLease> };
  readonly layers: { acquire(layers: readonly LayerState[]): Promise<CodeLease | undefined> };
  readonly images: {
    has(code: ImageCode): boolean;
    acquire(code: ImageCode): Promise<ImageLease>;
    prefetch(code: ImageCode): Promise<void>;
  };
  /** Undefined where the root file system has no place for it. */
  readonly compileCache: Pick<CompileCache, 'acquire' | 'collect'> | undefined;
  /** Name and version of what compiles a function's code; undefined where nothing that can be kept does. */
  readonly runtimeVersion: (state: FunctionState) => string | undefined;
  readonly sharedDirectories: { mounts(directories: readonly SharedDirectory[]): Promise<SandboxMount[]> };
}

/** Makes ready on the host what instances of a function see of it. */
export class FunctionFiles {
  constructor(private readonly options: FunctionFilesOptions) {}

  /** @throws what the caches and the image store throw; then nothing is held */
  async acquire(state: FunctionState): Promise<InstanceFiles> {
    const { code, layers, sharedDirectories } = state;
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
    const compiled = this.compiled(state);
    return {
      mounts: [...mounts, ...compiled.mounts],
      ...(image.value && { image: image.value }),
      ...compiled.told,
      release: () => {
        release();
        compiled.release();
      },
    };
  }

  /** Is the function's image still to be pulled? */
  mustPull({ code }: Pick<FunctionState, 'code'>): boolean {
    return code.kind === 'image' && !this.options.images.has(code);
  }

  /** Makes ready what can be made ready before anyone calls. @throws as `acquire` */
  async prefetch({ code, layers }: FunctionState): Promise<void> {
    if (code.kind === 'image') await this.options.images.prefetch(code);
    else (await this.options.packages.acquire(code)).release();
    (await this.options.layers.acquire(layers))?.release();
  }

  /** The compile cache: of an earlier instance, or one to be made by this. */
  private compiled(state: FunctionState): {
    readonly mounts: SandboxMount[];
    readonly told: Pick<InstanceFiles, 'compileCache' | 'onCompiled'>;
    readonly release: () => void;
  } {
    const { compileCache, runtimeVersion } = this.options;
    const version = runtimeVersion(state);
    if (compileCache === undefined || version === undefined) return NOT_COMPILED;
    const key = compileKeyOf(state, version);
    const lease = compileCache.acquire(key);
    if (lease !== undefined) {
      const mounts = readOnly(lease, COMPILE_CACHE_ROOT);
      return { mounts, told: { compileCache: { read: COMPILE_CACHE_ROOT } }, release: lease.release };
    }
    const files = compileCache.collect(key);
    if (files === undefined) return NOT_COMPILED;
    const onCompiled = (head: Buffer, content: Buffer): void => files.add(head, content);
    return { mounts: [], told: { compileCache: {}, onCompiled }, release: () => files.abandon() };
  }
}

const NOT_COMPILED = { mounts: [], told: {}, release: () => undefined };

function readOnly(lease: Pick<CodeLease, 'directory'> | undefined, target: string): SandboxMount[] {
  return lease === undefined ? [] : [{ source: lease.directory, target, readOnly: true }];
}
