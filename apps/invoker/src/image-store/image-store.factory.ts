import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@openscf/config';
import { ImageRegistry, missingImageTools } from '@openscf/oci';
import { ImageStore } from './image-store.js';
import type { imageStoreConfig } from './image-store.config.js';

const MB = 1024 * 1024;

export interface ImageStorePlace {
  /** Folder of the invoker's data. */
  readonly folder: string;
  /** Root file system of all other instances: its /etc/resolv.conf is the images' too. */
  readonly rootfs: string;
  /** To be called with the path of a root file system that goes. */
  readonly forgetRoot: (rootfs: string) => Promise<void>;
  readonly log: (fields: object, message: string) => void;
}

/** The image store of an invoker, opened. Where a tool is missing it says so and refuses images. */
export async function openImageStore(
  config: Config<typeof imageStoreConfig>,
  { folder, rootfs, forgetRoot, log }: ImageStorePlace,
): Promise<ImageStore> {
  const { registryAuthFile: authFile, insecureRegistries } = config;
  const missing = await missingImageTools();
  if (missing !== undefined) log({ missing }, 'image functions are refused');
  const store = new ImageStore({
    root: join(folder, 'images'),
    maxBytes: config.imageCacheMb * MB,
    registry: new ImageRegistry({ insecureRegistries, ...(authFile !== undefined && { authFile }) }),
    missing,
    pullTimeoutMs: config.imagePullSeconds * 1_000,
    resolvConf: () => readFile(join(rootfs, 'etc/resolv.conf'), 'utf8'),
    forgetRoot,
    log,
  });
  await store.open();
  return store;
}
