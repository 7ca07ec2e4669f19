import { z } from 'zod';
import { ImageError } from './oci.errors.js';
import type { ImageConfig, ImagePlatform } from './oci.types.js';

const descriptor = z.object({ digest: z.string(), size: z.number().int().nonnegative() });
const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor),
});
const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(
    descriptor.extend({
      platform: z
        .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
        .optional(),
    }),
  ),
});

export type ImageManifest = z.infer<typeof manifestSchema>;
export type ImageIndex = z.infer<typeof indexSchema>;

const words = z.array(z.string()).nullish();
const configSchema = z.object({
  os: z.string().default('linux'),
  architecture: z.string(),
  config: z
    .object({
      Entrypoint: words,
      Cmd: words,
      Env: words,
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
    })
    .nullish(),
});

function read<T>(image: string, schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new ImageError('broken', image, `${what} is not one of an OCI or Docker (schema 2) image`, error);
  }
}

/** A manifest, or an index of several. @throws ImageError `broken` */
export function readManifest(image: string, bytes: Buffer): ImageManifest | ImageIndex {
  return read<ImageManifest | ImageIndex>(
    image,
    z.union([manifestSchema, indexSchema]),
    bytes,
    'its manifest',
  );
}

/** @throws ImageError `broken` */
export function readImageConfig(image: string, bytes: Buffer): ImageConfig {
  const { os, architecture, config } = read(image, configSchema, bytes, 'its configuration');
  return {
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
    env: Object.fromEntries((config?.Env ?? []).map(splitVariable)),
    workingDir: absolute(config?.WorkingDir ?? ''),
    user: config?.User ?? '',
    platform: { os, architecture },
  };
}

function splitVariable(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

export function layersSize({ layers }: ImageManifest): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** In Go's words. */
export function hostPlatform(): ImagePlatform {
  const architecture = { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch;
  return { os: 'linux', architecture };
}

export function platformName({ os, architecture }: ImagePlatform): string {
  return `${os}/${architecture}`;
}
