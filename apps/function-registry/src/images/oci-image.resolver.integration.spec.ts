import { anImage, launchImageRegistry, type ImageRegistryPart } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OciImageResolver } from './oci-image.resolver.js';

describe('image resolver', () => {
  let registry: ImageRegistryPart;
  beforeAll(async () => {
    registry = await launchImageRegistry({ auth: true });
  });
  afterAll(() => registry?.stop());

  const layer = (content: string) => [{ name: 'index.html', content }];

  it('fixes a tag to what it means now', async () => {
    const resolver = new OciImageResolver({ authFile: await registry.authFile() });
    const first = anImage({ layers: [layer('one')] });
    const digest = await registry.push('team/site', 'live', first);
    const uri = `${registry.address}/team/site:live`;
    expect(await resolver.resolve(uri)).toEqual({ digest, sizeBytes: first.layers[0]?.bytes.length });
    const moved = await registry.push('team/site', 'live', anImage({ layers: [layer('two')] }));
    expect(await resolver.resolve(uri)).toMatchObject({ digest: moved });
    expect(await resolver.resolve(`${uri}@${digest}`)).toMatchObject({ digest });
  });

  it('tells the caller what is wrong with the image, and the platform what is wrong with the registry', async () => {
    const authFile = await registry.authFile();
    const resolver = new OciImageResolver({ authFile });
    const field = 'Code.ImageConfig.ImageUri: Image ';
    await expect(resolver.resolve('not an image')).rejects.toMatchObject({
      code: 'InvalidParameterValue.ImageUri',
      fault: 'caller',
      message: expect.stringContaining(`${field}"not an image"`),
    });
    await expect(resolver.resolve(`${registry.address}/nowhere:1`)).rejects.toMatchObject({
      code: 'ResourceNotFound.ImageConfig',
      fault: 'caller',
      message: expect.stringContaining(`${field}${registry.address}/nowhere:1`),
    });
    await expect(
      new OciImageResolver({}).resolve(`${registry.address}/team/site:live`),
    ).rejects.toMatchObject({
      code: 'UnauthorizedOperation',
      fault: 'caller',
    });
    await expect(resolver.resolve('127.0.0.1:1/site:1')).rejects.toMatchObject({
      fault: 'platform',
      retryable: true,
      message: expect.stringContaining('cannot be reached'),
    });
    const huge = new OciImageResolver({ authFile, maxBytes: 10 });
    await expect(huge.resolve(`${registry.address}/team/site:live`)).rejects.toMatchObject({
      code: 'InvalidParameterValue.ImageUri',
      message: expect.stringContaining('at most 1 MB are accepted'),
    });
  });
});
