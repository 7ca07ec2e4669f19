import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  anImage,
  blob,
  indexOf,
  launchImageRegistry,
  manifestOf,
  tarOf,
  type BuiltImage,
  type ImageRegistryPart,
  type LayerEntry,
} from '@openscf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ImageError,
  ImageRegistry,
  missingImageTools,
  parseImageReference,
  unpackImage,
  type ImageErrorReason,
  type ImageReference,
} from './index.js';

const site: readonly LayerEntry[] = [{ name: 'index.html', content: 'hello' }];

let registry: ImageRegistryPart;
let folder: string;

beforeAll(async () => {
  expect(await missingImageTools()).toBeUndefined();
  registry = await launchImageRegistry();
});
afterAll(() => registry?.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openscf-oci-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function at(rest: string, address = registry.address): ImageReference {
  return parseImageReference(`${address}/${rest}`);
}

function failing(reason: ImageErrorReason, message: string | RegExp = '') {
  return expect.objectContaining({
    reason,
    message: message === '' ? expect.stringMatching(/^Image \S+: /) : expect.stringMatching(message),
  });
}

async function pulled(image: BuiltImage, client = new ImageRegistry()): Promise<string> {
  const digest = await registry.push('pulled', 'x', image);
  const layout = join(folder, 'layout');
  await client.pull({ ...at('pulled'), digest }, layout);
  return layout;
}

async function unpacked(image: BuiltImage, maxBytes?: number): Promise<string> {
  const target = join(folder, 'root');
  await unpackImage(await pulled(image), target, { image: 'x', ...(maxBytes && { maxBytes }) });
  return target;
}

describe('inspect', () => {
  it('tells digest, size and configuration, by tag, by digest and by both', async () => {
    const image = anImage({
      layers: [site],
      entrypoint: ['/server'],
      cmd: ['--port', '9000'],
      env: ['PATH=/bin', 'EMPTY=', 'EQUALS=a=b'],
      workingDir: '/srv',
      user: 'nobody',
    });
    const digest = await registry.push('team/site', '1', image);
    const facts = await new ImageRegistry().inspect(at('team/site:1'));
    expect(facts).toEqual({
      digest,
      sizeBytes: image.layers[0]?.bytes.length,
      config: {
        entrypoint: ['/server'],
        cmd: ['--port', '9000'],
        env: { PATH: '/bin', EMPTY: '', EQUALS: 'a=b' },
        workingDir: '/srv',
        user: 'nobody',
        platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
      },
    });
    expect(await new ImageRegistry().inspect(at(`team/site@${digest}`))).toEqual(facts);
    expect(await new ImageRegistry().inspect(at(`team/site:gone@${digest}`))).toEqual(facts);
  });

  it('keeps the digest of an index and looks at the image for this host', async () => {
    const own = anImage({ layers: [site] });
    const other = anImage({ layers: [site], architecture: 's390x' });
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    await registry.push('many', 'own', own);
    await registry.push('many', 'other', other);
    const index = indexOf({ 'linux/s390x': other, [`linux/${architecture}`]: own });
    const digest = await registry.pushManifest('many', 'both', index);
    const facts = await new ImageRegistry().inspect(at('many:both'));
    expect(facts).toMatchObject({ digest, config: { platform: { architecture } } });
    const layout = join(folder, 'layout');
    await new ImageRegistry().pull({ ...at('many'), digest }, layout);
    await unpackImage(layout, join(folder, 'root'), { image: 'x' });
    expect(await readFile(join(folder, 'root/index.html'), 'utf8')).toBe('hello');
  });

  it('says what an image for another platform is made for', async () => {
    const other = anImage({ layers: [site], architecture: 's390x' });
    await registry.push('foreign', '1', other);
    await registry.pushManifest('foreign', 'index', indexOf({ 'linux/s390x': other }));
    const inspect = (tag: string) => new ImageRegistry().inspect(at(`foreign:${tag}`));
    const message = /foreign:\w+: it is made for linux\/s390x, and this host is linux/;
    await expect(inspect('1')).rejects.toEqual(failing('wrong-platform', message));
    await expect(inspect('index')).rejects.toEqual(failing('wrong-platform', message));
  });

  it('tells apart what is not there, who must not, and who does not answer', async () => {
    await registry.push('there', '1', anImage({ layers: [site] }));
    const client = new ImageRegistry();
    await expect(client.inspect(at('there:2'))).rejects.toEqual(
      failing('not-found', /there:2: .*no such image/),
    );
    await expect(client.inspect(at('nowhere:1'))).rejects.toEqual(failing('not-found'));
    await expect(client.inspect(at(`there@sha256:${'0'.repeat(64)}`))).rejects.toEqual(failing('not-found'));
    await expect(client.inspect(at('there:1', '127.0.0.1:1'))).rejects.toEqual(
      failing('unreachable', /127\.0\.0\.1:1\/there:1: the registry cannot be reached .*connection refused/),
    );
    await expect(client.inspect(at('there:1', 'registry.invalid'))).rejects.toEqual(failing('unreachable'));
  });

  it('refuses images over the limit before a byte is copied', async () => {
    const image = anImage({ layers: [[{ name: 'a', content: Buffer.alloc(2_000_000, 7) }]] });
    const heavy = { ...image.layers[0], size: 2 * 1024 ** 3 };
    await registry.push('heavy', '1', image);
    // The registry does not compare sizes: the manifest says what the layers are to have.
    const manifest = JSON.parse(image.manifest.bytes.toString());
    manifest.layers[0].size = heavy.size;
    await registry.pushManifest(
      'heavy',
      '2',
      blob(image.manifest.mediaType, Buffer.from(JSON.stringify(manifest))),
    );
    await expect(new ImageRegistry().inspect(at('heavy:2'))).rejects.toEqual(
      failing('too-large', /heavy:2: its layers have 2048 MB; at most 1024 MB are accepted/),
    );
    await expect(new ImageRegistry({ maxBytes: 100 }).inspect(at('heavy:1'))).rejects.toEqual(
      failing('too-large'),
    );
  });

  it('refuses what is no image', async () => {
    const manifest = blob('application/vnd.oci.image.manifest.v1+json', Buffer.from('{"schemaVersion":2}'));
    const server = await answering(manifest.bytes, manifest.mediaType);
    try {
      const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await expect(new ImageRegistry().inspect(at('odd:1', address))).rejects.toEqual(
        failing('broken', /odd:1: its manifest is not one of an OCI or Docker/),
      );
    } finally {
      server.close();
    }
  });
});

/** A registry that gives the same to every request. */
async function answering(body: Buffer, type: string): Promise<Server> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': type }).end(body),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('credentials', () => {
  let guarded: ImageRegistryPart;
  beforeAll(async () => {
    guarded = await launchImageRegistry({ auth: true });
    await guarded.push('private', '1', anImage({ layers: [site] }));
  });
  afterAll(() => guarded?.stop());

  it('are read from the file of the operator', async () => {
    const client = new ImageRegistry({ authFile: await guarded.authFile() });
    const { digest } = await client.inspect(at('private:1', guarded.address));
    await client.pull({ ...at('private', guarded.address), digest }, join(folder, 'layout'));
    expect(existsSync(join(folder, 'layout/index.json'))).toBe(true);
  });

  it.each(['none', 'wrong'])('are told to be missing when there are %s', async (kind) => {
    const authFile = kind === 'wrong' ? await guarded.authFile('ada', 'guess') : undefined;
    const client = new ImageRegistry(authFile === undefined ? {} : { authFile });
    await expect(client.inspect(at('private:1', guarded.address))).rejects.toEqual(
      failing('unauthorized', /private:1: the registry refuses access.*OPENSCF_REGISTRY_AUTH_FILE/),
    );
  });
});

describe('pull', () => {
  it('gives the bytes of the digest, wherever the tag has moved', async () => {
    const first = await registry.push('moving', '1', anImage({ layers: [site] }));
    await registry.push('moving', '1', anImage({ layers: [[{ name: 'index.html', content: 'moved' }]] }));
    await new ImageRegistry().pull({ ...at('moving:1'), digest: first }, join(folder, 'layout'));
    await unpackImage(join(folder, 'layout'), join(folder, 'root'), { image: 'x' });
    expect(await readFile(join(folder, 'root/index.html'), 'utf8')).toBe('hello');
  });

  it('takes layers of every compression', async () => {
    const tar = tarOf(site);
    const image = anImage({ layers: [tar] });
    const kinds = { '': tar, '+gzip': gzipSync(tar), '+zstd': zstdCompressSync(tar) };
    for (const [kind, bytes] of Object.entries(kinds)) {
      const layer = blob(`application/vnd.oci.image.layer.v1.tar${kind}`, bytes);
      const manifest = manifestOf(image.config, [layer]);
      const root = await unpacked({ ...image, layers: [layer], manifest });
      expect(await readFile(join(root, 'index.html'), 'utf8')).toBe('hello');
      await rm(folder, { recursive: true });
      await mkdir(folder);
    }
  });

  it('refuses a layer that is not what the manifest says', async () => {
    const image = anImage({ layers: [site] });
    const digest = await registry.push('damaged', '1', image);
    const hex = image.layers[0]?.digest.slice('sha256:'.length) ?? '';
    const path = join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    const bytes = await readFile(path);
    await writeFile(
      path,
      bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
    );
    try {
      await expect(
        new ImageRegistry().pull({ ...at('damaged'), digest }, join(folder, 'layout')),
      ).rejects.toEqual(failing('broken'));
    } finally {
      await writeFile(path, bytes);
    }
  });

  it('refuses layers over the limit, whatever the manifest says of them', async () => {
    const small = new ImageRegistry({ maxBytes: 1_000 });
    const image = anImage({ layers: [[{ name: 'noise', content: randomBytes(40_000_000) }]] });
    const digest = await registry.push('large', '1', image);
    await expect(small.inspect(at('large:1'))).rejects.toEqual(failing('too-large'));
    await expect(small.pull({ ...at('large'), digest }, join(folder, 'layout'))).rejects.toEqual(
      failing('too-large'),
    );
    const manifest = JSON.parse(image.manifest.bytes.toString());
    manifest.layers[0].size = 500;
    const lie = blob(image.manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
    await registry.pushManifest('large', 'lie', lie);
    await expect(
      small.pull({ ...at('large'), digest: lie.digest }, join(folder, 'lie')),
    ).rejects.toBeInstanceOf(ImageError);
  });

  it('gives up when its time is over, or nobody waits', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const silent = {
      ...at('x', `127.0.0.1:${(server.address() as AddressInfo).port}`),
      digest: `sha256:${'1'.repeat(64)}`,
    };
    const pull = (signal: AbortSignal) =>
      new ImageRegistry().pull(silent, join(folder, 'layout'), { signal });
    await expect(pull(AbortSignal.timeout(50))).rejects.toEqual(
      failing('timed-out', /did not give it in time/),
    );
    await expect(pull(AbortSignal.abort())).rejects.toEqual(failing('cancelled'));
    server.closeAllConnections();
    server.close();
  });
});
