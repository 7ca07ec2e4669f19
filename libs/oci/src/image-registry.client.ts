import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  hostPlatform,
  layersSize,
  platformName,
  readImageConfig,
  readManifest,
  type ImageIndex,
  type ImageManifest,
} from './image-manifest.schema.js';
import { formatImageReference, isLoopbackRegistry, type ImageReference } from './image-reference.js';
import { ImageError } from './oci.errors.js';
import { LAYOUT_NAME, MAX_IMAGE_BYTES, type ImageConfig, type ImageFacts } from './oci.types.js';
import { reasonOfComplaint, sentenceFor } from './registry-answer.policy.js';
import { installSentence } from './required-tools.js';
import { runTool, type ToolRun } from './tool.process.js';

export interface ImageRegistryOptions {
  /** In the form of Docker's config.json; without it registries are asked as nobody. */
  readonly authFile?: string;
  /** `host` or `host:port` of registries that may be reached without TLS; those of this host always may. */
  readonly insecureRegistries?: readonly string[];
  /** Default: MAX_IMAGE_BYTES. */
  readonly maxBytes?: number;
}

export interface PullOptions {
  /** Default: no time-out. */
  readonly signal?: AbortSignal;
  /** Lines for a log, such as which layer is copied. */
  readonly onProgress?: (line: string) => void;
}

const INSPECT_TIMEOUT_MS = 30_000;
/** What a copy writes beside the layers: manifest, configuration, and what it tells registries. */
const BESIDE_LAYERS_BYTES = 32 * 1024 * 1024;
/** A layer of another compression is larger when it has come, as gzip; its size in the registry is checked by `inspect`. */
const RECOMPRESSED = 1.5;
/** Without the operator's own rules about signatures skopeo would not start. */
const SIGNATURE_RULES = ['/etc/containers/policy.json', join(homedir(), '.config/containers/policy.json')];

/** Registries, by way of skopeo. All methods throw ImageError. */
export class ImageRegistry {
  private readonly maxBytes: number;
  private readonly rules = SIGNATURE_RULES.some((path) => existsSync(path)) ? [] : ['--insecure-policy'];

  constructor(private readonly options: ImageRegistryOptions = {}) {
    this.maxBytes = options.maxBytes ?? MAX_IMAGE_BYTES;
  }

  /** What a reference means now, for the platform of this host. */
  async inspect(reference: ImageReference, signal?: AbortSignal): Promise<ImageFacts> {
    const image = formatImageReference(reference);
    const timeout = AbortSignal.timeout(INSPECT_TIMEOUT_MS);
    const run = { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) };
    const named = await this.inspectRaw(reference, [], run);
    const digest = digestOf(named);
    if (reference.digest !== undefined && reference.digest !== digest)
      throw new ImageError('broken', image, `the registry gave ${digest} instead`);
    const { reference: own, manifest } = await this.manifestForHost(reference, digest, named, run);
    const sizeBytes = layersSize(manifest);
    this.checkSize(image, sizeBytes);
    const config = readImageConfig(image, await this.inspectRaw(own, ['--config'], run));
    checkPlatform(image, config);
    return { digest, sizeBytes, config };
  }

  /** Downloads an image into a new layout folder (OCI image layout, one image). The bytes are those of the digest. */
  async pull(
    reference: ImageReference & { readonly digest: string },
    folder: string,
    { signal, onProgress }: PullOptions = {},
  ): Promise<{ readonly config: ImageConfig; readonly sizeBytes: number }> {
    const image = formatImageReference(reference);
    // umoci of Debian 12 reads no zstd.
    const args = [...this.rules, 'copy', '--dest-compress-format', 'gzip'];
    args.push(...this.access('src-', reference.domain));
    const places = [`docker://${image}`, `oci:${folder}:${LAYOUT_NAME}`];
    await this.skopeo(image, [...args, ...places], {
      maxWrittenBytes: this.maxBytes * RECOMPRESSED + BESIDE_LAYERS_BYTES,
      ...(signal && { signal }),
      ...(onProgress && { onLine: onProgress }),
    });
    const blob = (digest: string): Promise<Buffer> =>
      readFile(join(folder, 'blobs', ...digest.split(':').slice(0, 2)));
    const index = readManifest(image, await readFile(join(folder, 'index.json')));
    const [only] = 'manifests' in index ? index.manifests : [];
    const manifest = readManifest(image, await blob(only?.digest ?? ''));
    if (!('layers' in manifest)) throw new ImageError('broken', image, 'it is an index of indexes');
    const sizeBytes = layersSize(manifest);
    this.checkSize(image, sizeBytes, RECOMPRESSED);
    const config = readImageConfig(image, await blob(manifest.config.digest));
    checkPlatform(image, config);
    return { config, sizeBytes };
  }

  private async manifestForHost(
    reference: ImageReference,
    digest: string,
    bytes: Buffer,
    run: ToolRun,
  ): Promise<{ reference: ImageReference; manifest: ImageManifest }> {
    const image = formatImageReference(reference);
    const found = readManifest(image, bytes);
    if ('layers' in found) return { reference: { ...reference, digest }, manifest: found };
    const own = { ...reference, digest: chooseManifest(image, found) };
    const manifest = readManifest(image, await this.inspectRaw(own, [], run));
    if (!('layers' in manifest)) throw new ImageError('broken', image, 'it is an index of indexes');
    return { reference: own, manifest };
  }

  private inspectRaw(reference: ImageReference, what: readonly string[], run: ToolRun): Promise<Buffer> {
    const image = formatImageReference(reference);
    const args = [...this.rules, 'inspect', '--raw', ...what, ...this.access('', reference.domain)];
    return this.skopeo(image, [...args, `docker://${image}`], run);
  }

  /** Who we are and how it may be reached; skopeo's own defaults (a user's login, say) are not used. */
  private access(prefix: '' | 'src-', domain: string): string[] {
    const { authFile, insecureRegistries = [] } = this.options;
    const insecure =
      isLoopbackRegistry(domain) ||
      insecureRegistries.includes(domain) ||
      insecureRegistries.includes(domain.replace(/:\d+$/, ''));
    return [
      ...(authFile === undefined ? [`--${prefix}no-creds`] : ['--authfile', authFile]),
      ...(insecure ? [`--${prefix}tls-verify=false`] : []),
    ];
  }

  private async skopeo(image: string, args: readonly string[], run: ToolRun): Promise<Buffer> {
    const outcome = await runTool('skopeo', args, run);
    switch (outcome.kind) {
      case 'done':
        return outcome.stdout;
      case 'missing':
        throw new ImageError('tools-missing', image, installSentence(['skopeo']));
      case 'timed-out':
        throw new ImageError('timed-out', image, 'the registry did not give it in time');
      case 'cancelled':
        throw new ImageError('cancelled', image, 'nobody waits for it any more');
      case 'wrote-too-much':
        throw this.tooLarge(image, 'more');
      case 'failed': {
        const reason = reasonOfComplaint(outcome.message);
        throw new ImageError(reason, image, sentenceFor(reason, outcome.message));
      }
    }
  }

  private checkSize(image: string, sizeBytes: number, tolerance = 1): void {
    if (sizeBytes > this.maxBytes * tolerance) throw this.tooLarge(image, megabytes(sizeBytes));
  }

  private tooLarge(image: string, size: string): ImageError {
    const limit = megabytes(this.maxBytes);
    return new ImageError('too-large', image, `its layers have ${size}; at most ${limit} are accepted`);
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function chooseManifest(image: string, { manifests }: ImageIndex): string {
  const own = hostPlatform();
  const fitting = manifests.filter(
    ({ platform }) => platform?.os === own.os && platform.architecture === own.architecture,
  );
  const chosen = fitting.find(({ platform }) => !platform?.variant) ?? fitting[0];
  if (chosen !== undefined) return chosen.digest;
  const there = manifests.flatMap(({ platform }) => (platform ? [platformName(platform)] : []));
  throw wrongPlatform(image, there.join(', ') || 'no platform');
}

function checkPlatform(image: string, { platform }: ImageConfig): void {
  const own = hostPlatform();
  if (platform.os !== own.os || platform.architecture !== own.architecture)
    throw wrongPlatform(image, platformName(platform));
}

function wrongPlatform(image: string, made: string): ImageError {
  const own = platformName(hostPlatform());
  return new ImageError('wrong-platform', image, `it is made for ${made}, and this host is ${own}`);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MB`;
}
