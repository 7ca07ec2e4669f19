import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectStore } from '@openscf/object-store';
import type { SandboxDriver } from '@openscf/sandbox-api';
import type { Logger } from '@openscf/telemetry';
import { openImageStore } from '../image-store/image-store.factory.js';
import type { ImageStore } from '../image-store/image-store.js';
import { COMPILE_CACHE_ROOT } from '../instance/instance-plan.factory.js';
import type { InvokerConfig } from '../invoker.config.js';
import { CodeCache } from './code-cache.js';
import { CompileCache } from './compile-cache.js';
import type { FunctionFilesOptions } from './function-files.js';
import { LayerCache } from './layer-cache.js';
import { SharedDirectories } from './shared-directories.js';

/** What is kept on the host for instances: packages, layers, images, shared directories. */
export interface HostFiles extends Omit<FunctionFilesOptions, 'runtimeVersion'> {
  readonly images: Pick<ImageStore, 'acquire' | 'has' | 'missing' | 'prefetch'>;
  /** Finds what an earlier life has left. To be called once, first. */
  open(): Promise<void>;
  /** Takes down what only a running invoker needs. Never rejects. */
  close(): Promise<void>;
}

const MB = 1024 * 1024;

/**
 * @param rootfs the platform's root file system, whose name server images get too
 * @param driver is told of root file systems that go
 */
export async function makeHostFiles(
  config: InvokerConfig,
  store: ObjectStore,
  rootfs: string,
  driver: Pick<SandboxDriver, 'forgetRoot'>,
  logger: Logger,
): Promise<HostFiles> {
  const root = join(config.home, 'invoker');
  const log = (fields: object, message: string): void => logger.info(fields, message);
  const packages = new CodeCache({
    root: join(root, 'code-cache'),
    maxBytes: config.codeCacheMb * MB,
    fetch: (objectKey) => store.get(config.platformBucket, objectKey),
    log,
  });
  const layers = new LayerCache({ root: join(root, 'layers'), packages });
  const images = await openImageStore(config, {
    folder: root,
    rootfs,
    forgetRoot: (gone) => driver.forgetRoot(gone),
    log,
  });
  const sharedDirectories = new SharedDirectories({
    systems: config.sharedFileSystems,
    root: join(root, 'shared'),
  });
  const hasPlace = existsSync(join(rootfs, COMPILE_CACHE_ROOT));
  const compileCache = hasPlace ? new CompileCache({ root: join(root, 'compiled'), log }) : undefined;
  return {
    packages,
    layers,
    images,
    compileCache,
    sharedDirectories,
    open: async () => {
      await packages.open();
      await Promise.all([layers.open(), compileCache?.open()]);
    },
    close: () => {
      images.close();
      return sharedDirectories.close();
    },
  };
}
