/** What an image says of how it is to be run. Everything may be missing. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute in the image; `/` when it names none. */
  readonly workingDir: string;
  /** As the image has it: a name or an id, with or without a group; empty when it names none. */
  readonly user: string;
  readonly platform: ImagePlatform;
}

export interface ImagePlatform {
  readonly os: string;
  /** In Go's words: `amd64`, `arm64`. */
  readonly architecture: string;
}

/** What a registry holds under a reference, for the platform of this host. */
export interface ImageFacts {
  /** `sha256:<hex>` of what the reference names: a manifest, or an index of several platforms. */
  readonly digest: string;
  /** Of the compressed layers. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
}

/** SCF: an image has less than 1 GiB (scf-api Quotas). Counted as the registry keeps it, compressed. */
export const MAX_IMAGE_BYTES = 1024 ** 3;
/** A root file system is several times the size of its layers; beyond this it is a bomb. */
export const MAX_UNPACKED_BYTES = 8 * 1024 ** 3;
/** How the one image of a layout folder is called. */
export const LAYOUT_NAME = 'image';
