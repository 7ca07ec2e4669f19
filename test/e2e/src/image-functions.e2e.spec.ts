/** Functions in images of a real registry: deployed through the Cloud API, reached by invocations and by a function URL. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { anImage, launchImageRegistry, type ImageRegistryPart } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { functionNamed, uniqueName, untilActive, type FunctionUnderTest } from './function.fixture.js';
import { cloud, codeOf, platform, type CreateFunctionRequest } from './platform.js';

type ImageConfig = NonNullable<NonNullable<CreateFunctionRequest['Code']>['ImageConfig']>;

const example = fileURLToPath(new URL('../../../examples/image-static-site', import.meta.url));
/** The web server of the example is compiled when the machine has not done so before. */
const BUILD_MS = 400_000;

async function makeImageFunction(
  image: Omit<ImageConfig, 'ImageType'>,
  settings: Partial<CreateFunctionRequest> = {},
): Promise<FunctionUnderTest> {
  const name = uniqueName('e2e-image');
  await cloud.CreateFunction({
    FunctionName: name,
    MemorySize: 128,
    Timeout: 10,
    Code: { ImageConfig: { ImageType: 'personal', ...image } },
    ...settings,
  });
  const made = functionNamed(name);
  onTestFinished(() => made.remove());
  await untilActive(name);
  return made;
}

/** Where its function URL leads, by path. */
async function urlOf({ name }: FunctionUnderTest): Promise<string> {
  const { TriggerInfo } = await cloud.CreateTrigger({
    FunctionName: name,
    TriggerName: 'url',
    Type: 'http',
    TriggerDesc: JSON.stringify({ AuthType: 'NONE', NetConfig: { EnableExtranet: true } }),
  });
  const { NetConfig } = JSON.parse(TriggerInfo?.TriggerDesc ?? '{}') as {
    NetConfig: { ExtranetUrl: string };
  };
  const [label = ''] = new URL(NetConfig.ExtranetUrl).hostname.split('.');
  return new URL(`/url/${label}`, platform.gateway).href;
}

describe('image functions', () => {
  let registry: ImageRegistryPart;
  beforeAll(async () => {
    registry = await launchImageRegistry();
  });
  afterAll(() => registry?.stop());

  it('show a static site in an image: the example, as its README says', { timeout: BUILD_MS }, async () => {
    const uri = `${registry.address}/demo/site:1`;
    await promisify(execFile)(join(example, 'build.sh'), [uri, '--dest-tls-verify=false']);
    const site = await makeImageFunction({ ImageUri: uri }, { Type: 'HTTP' });
    const url = await urlOf(site);
    const page = await fetch(`${url}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('<h1>A site in an image</h1>');
    const style = await fetch(`${url}/style.css`);
    expect(style.headers.get('content-type')).toContain('text/css');
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    expect(await cloud.GetFunction({ FunctionName: site.name })).toMatchObject({
      Runtime: 'CustomImage',
      Type: 'HTTP',
      ImageConfig: { ImageUri: uri },
    });
  });

  it('refuse an image that is not there, and say which', async () => {
    const ImageUri = `${registry.address}/nowhere:1`;
    const asked = cloud.CreateFunction({
      FunctionName: uniqueName('e2e-image'),
      Code: { ImageConfig: { ImageType: 'personal', ImageUri } },
    });
    expect(await codeOf(asked)).toBe('ResourceNotFound.ImageConfig');
    await expect(asked).rejects.toThrow(ImageUri);
  });

  it('keep what was deployed when the tag moves on', async () => {
    const ImageUri = `${registry.address}/moving:1`;
    // What they run is not in them: the error says which one was asked to.
    const image = (program: string) => anImage({ layers: [[{ name: 'empty' }]], entrypoint: [program] });
    await registry.push('moving', '1', image('/first'));
    const fn = await makeImageFunction({ ImageUri });
    await registry.push('moving', '1', image('/second'));
    expect((await fn.invoke({})).ErrMsg).toContain('/first does not exist');
    await cloud.UpdateFunctionCode({
      FunctionName: fn.name,
      Code: { ImageConfig: { ImageType: 'personal', ImageUri } },
    });
    await untilActive(fn.name);
    expect((await fn.invoke({})).ErrMsg).toContain('/second does not exist');
  });
});
