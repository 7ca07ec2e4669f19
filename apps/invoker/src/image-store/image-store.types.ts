import type { ImageConfig } from '@openscf/oci';

/** An image as instances are started from it. */
export interface UnpackedImage {
  /** Absolute host path of its root file system: read-only, shared by all its instances. */
  readonly rootfs: string;
  readonly config: ImageConfig;
}

/** An image that stays where it is until `release`. */
export interface ImageLease extends UnpackedImage {
  readonly release: () => void;
}
