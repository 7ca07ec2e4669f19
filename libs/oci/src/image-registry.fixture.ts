import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchImageRegistry, type BuiltImage, type ImageRegistryPart } from '@openscf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import {
  ImageRegistry,
  missingImageTools,
  parseImageReference,
  unpackImage,
  type ImageErrorReason,
  type ImageReference,
} from './index.js';

/** A real registry for the tests of a file, and for each test an empty folder. */
export class RegistryFixture {
  private launched: ImageRegistryPart | undefined;
  /** Absolute; gone after the test. */
  folder = '';

  /** To be called once, outside of tests. */
  static use(): RegistryFixture {
    const fixture = new RegistryFixture();
    beforeAll(async () => {
      expect(await missingImageTools()).toBeUndefined();
      fixture.launched = await launchImageRegistry();
    });
    afterAll(() => fixture.launched?.stop());
    beforeEach(async () => {
      fixture.folder = await mkdtemp(join(tmpdir(), 'openscf-oci-'));
    });
    afterEach(() => rm(fixture.folder, { recursive: true, force: true }));
    return fixture;
  }

  get registry(): ImageRegistryPart {
    if (!this.launched) throw new Error('the registry is there while tests run');
    return this.launched;
  }

  /** A reference to what the registry, or one at another address, has under this name. */
  at(rest: string, address = this.registry.address): ImageReference {
    return parseImageReference(`${address}/${rest}`);
  }

  /** @returns the folder of the image's layout, as the client has pulled it */
  async pulled(image: BuiltImage, client = new ImageRegistry()): Promise<string> {
    const digest = await this.registry.push('pulled', 'x', image);
    const layout = join(this.folder, 'layout');
    await client.pull({ ...this.at('pulled'), digest }, layout);
    return layout;
  }

  /** @returns the folder of the image's root file system */
  async unpacked(image: BuiltImage, maxBytes?: number): Promise<string> {
    const target = join(this.folder, 'root');
    await unpackImage(await this.pulled(image), target, { image: 'x', ...(maxBytes && { maxBytes }) });
    return target;
  }
}

/** What an ImageError looks like whose message is of the usual form, or matches. */
export function failing(reason: ImageErrorReason, message: string | RegExp = /^Image \S+: /) {
  return expect.objectContaining({ reason, message: expect.stringMatching(message) });
}
