import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** An entry of a layer, with any name: hostile ones too. */
export interface LayerEntry {
  readonly name: string;
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink' | 'device' | 'fifo';
  readonly content?: Buffer | string;
  readonly mode?: number;
  /** Of links. */
  readonly target?: string;
}

export interface ImageRecipe {
  /** From the lowest up: entries, or a tar that is there already. */
  readonly layers: readonly (readonly LayerEntry[] | Buffer)[];
  /** Default: true. */
  readonly compressed?: boolean;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  /** Default: this machine's, in Go's words. */
  readonly architecture?: string;
  readonly os?: string;
}

export interface Blob {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** An OCI image as a registry keeps it. */
export interface BuiltImage {
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

const TYPE_FLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  device: '3',
  directory: '5',
  fifo: '6',
} as const;
const BLOCK = 512;
const OCI = 'application/vnd.oci.image';

/** Builds an image without any engine. */
export function anImage(recipe: ImageRecipe): BuiltImage {
  const tars = recipe.layers.map((layer) => (Buffer.isBuffer(layer) ? layer : tarOf(layer)));
  const layers = tars.map((tar) =>
    recipe.compressed === false
      ? blob(`${OCI}.layer.v1.tar`, tar)
      : blob(`${OCI}.layer.v1.tar+gzip`, gzipSync(tar, { level: 1 })),
  );
  const architecture = { x64: 'amd64' }[process.arch as string] ?? process.arch;
  const config = blob(
    `${OCI}.config.v1+json`,
    Buffer.from(
      JSON.stringify({
        os: recipe.os ?? 'linux',
        architecture: recipe.architecture ?? architecture,
        config: {
          Entrypoint: recipe.entrypoint,
          Cmd: recipe.cmd,
          Env: recipe.env,
          WorkingDir: recipe.workingDir,
          User: recipe.user,
        },
        rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
      }),
    ),
  );
  return { manifest: manifestOf(config, layers), config, layers };
}

export function manifestOf(config: Blob, layers: readonly Blob[]): Blob {
  const mediaType = `${OCI}.manifest.v1+json`;
  const content = { schemaVersion: 2, mediaType, config: descriptor(config), layers: layers.map(descriptor) };
  return blob(mediaType, Buffer.from(JSON.stringify(content)));
}

/** An index of images for several platforms: `os/architecture` → image. */
export function indexOf(images: Readonly<Record<string, BuiltImage>>): Blob {
  const mediaType = `${OCI}.index.v1+json`;
  const manifests = Object.entries(images).map(([name, { manifest }]) => {
    const [os, architecture] = name.split('/');
    return { ...descriptor(manifest), platform: { os, architecture } };
  });
  return blob(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })));
}

export function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, bytes, digest: digestOf(bytes) };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function descriptor({ mediaType, digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}

/** A tar (ustar) of entries whose names have at most 100 bytes. */
export function tarOf(entries: readonly LayerEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [tarHeader(entry, content.length), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function tarHeader({ name, type = 'file', mode, target = '' }: LayerEntry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  header.write(name, 0, 100);
  octal(mode ?? (type === 'directory' ? 0o755 : 0o644), 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  header.write(TYPE_FLAGS[type], 156);
  header.write(target, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  octal(type === 'device' ? 1 : 0, 329, 8);
  octal(type === 'device' ? 3 : 0, 337, 8);
  // The sum of all bytes, with blanks where it will stand.
  header.fill(' ', 148, 156);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
}
