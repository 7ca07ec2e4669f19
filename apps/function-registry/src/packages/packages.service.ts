import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { UnavailableError, type CodePackage, type Upload } from '@openscf/contracts';
import { ObjectNotFoundError, ObjectStore } from '@openscf/object-store';
import type { Logger } from '@openscf/telemetry';
import type { Transaction } from '../outbox/changes.service.js';
import { LOGGER, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { codeKey, isUploadKey } from './package-keys.policy.js';
import { PackagesRepository } from './packages.repository.js';
import { checkZip, readZipText } from './zip-archive.source.js';

/** Code packages: zips in the platform's bucket, stored once per content. */
@Injectable()
export class PackagesService {
  constructor(
    private readonly packages: PackagesRepository,
    private readonly store: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Checks an uploaded zip and keeps it under its content's name; the caller discards the upload afterwards. What is stored is
   * swept later unless a function comes to use it.
   * @throws ZipRefusedError with the reason, UnavailableError when a part is away
   */
  async takeOver(upload: Upload): Promise<CodePackage> {
    const code = { sha256: upload.sha256, sizeBytes: upload.sizeBytes, objectKey: codeKey(upload.sha256) };
    // Equal content was checked when it was stored.
    const known = (await this.isStored(code)) ? await this.packages.unpackedBytes(code.sha256) : undefined;
    await this.packages.touch(code, known ?? (await this.check(upload)));
    // Looked for again: a sweep may have removed it before the row was touched, and cannot any more.
    if (!(await this.isStored(code))) {
      await this.store.copy(this.config.platformBucket, upload.objectKey, code.objectKey);
    }
    return code;
  }

  /** Removes what was uploaded. Never throws: the sweep removes what is left. */
  async discard(upload: Upload): Promise<void> {
    if (!isUploadKey(upload.objectKey)) return;
    try {
      await this.store.remove(this.config.platformBucket, upload.objectKey);
    } catch (error) {
      this.logger.warn(
        { error, objectKey: upload.objectKey },
        'an upload could not be removed, the sweep will do it',
      );
    }
  }

  leave(tx: Transaction, sha256: string): Promise<void> {
    return this.packages.leave(tx, sha256);
  }

  /** Makes sure that it is known what a stored package unpacks to. */
  async measure(code: CodePackage): Promise<void> {
    if ((await this.packages.unpackedBytes(code.sha256)) !== undefined) return;
    await this.packages.touch(code, await this.withFile(code.objectKey, checkZip));
  }

  /** What packages unpack to together, in bytes, equal ones each for itself. */
  async unpackedTotal(tx: Transaction, packages: readonly CodePackage[]): Promise<number> {
    const sizes = await Promise.all(packages.map(({ sha256 }) => this.packages.unpackedBytes(sha256, tx)));
    return sizes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  }

  /** Whatever comes out of `handle`, nothing is left of the upload. */
  async withUpload<T>(upload: Upload | undefined, handle: () => Promise<T>): Promise<T> {
    try {
      return await handle();
    } finally {
      if (upload) await this.discard(upload);
    }
  }

  /** The text of the first of `names` in the package, or undefined when it has none or it is too large. */
  readText(code: CodePackage, names: readonly string[], maxBytes: number): Promise<string | undefined> {
    return this.withFile(code.objectKey, (path) => readZipText(path, names, maxBytes));
  }

  private async check(upload: Upload): Promise<number> {
    if (!isUploadKey(upload.objectKey)) throw new Error(`"${upload.objectKey}" is not the key of an upload.`);
    return this.withFile(upload.objectKey, (path, sha256) => {
      if (sha256 !== upload.sha256)
        throw new UnavailableError('The uploaded package was damaged on its way; send it again.');
      return checkZip(path);
    });
  }

  private async isStored(code: CodePackage): Promise<boolean> {
    try {
      const { sizeBytes } = await this.store.stat(this.config.platformBucket, code.objectKey);
      return sizeBytes === code.sizeBytes;
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return false;
      throw error;
    }
  }

  /** Runs `use` on a local copy of the object, with its SHA-256 in hex. */
  private async withFile<T>(
    objectKey: string,
    use: (path: string, sha256: string) => Promise<T>,
  ): Promise<T> {
    const path = join(tmpdir(), `openscf-package-${randomUUID()}.zip`);
    const hash = createHash('sha256');
    try {
      const hashed = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          done(null, chunk);
        },
      });
      await pipeline(
        await this.store.get(this.config.platformBucket, objectKey),
        hashed,
        createWriteStream(path),
      );
      return await use(path, hash.digest('hex'));
    } finally {
      await rm(path, { force: true });
    }
  }
}
