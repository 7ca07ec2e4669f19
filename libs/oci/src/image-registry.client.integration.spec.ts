import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  anImage,
  blob,
  indexOf,
  launchImageRegistry,
  manifestOf,
  tarOf,
  type ImageRegistryPart,
  type LayerEntry,
} from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImageError, ImageRegistry, unpackImage } from './index.js';
import { failing, RegistryFixture } from './image-registry.fixture.js';

const site: readonly LayerEntry[] = [{ name: 'index.html', content: 'hello' }];

const images = RegistryFixture.use();

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
    const digest = await images.registry.push('team/site', '1', image);
    const facts = await new ImageRegistry().inspect(images.at('team/site:1'));
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
    expect(await new ImageRegistry().inspect(images.at(`team/site@${digest}`))).toEqual(facts);
    expect(await new ImageRegistry().inspect(images.at(`team/site:gone@${digest}`))).toEqual(facts);
  });

  it('keeps the digest of an index and looks at the image for this host', async () => {
    const own = anImage({ layers: [site] });
    const other = anImage({ layers: [site], architecture: 's390x' });
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    await images.registry.push('many', 'own', own);
    await images.registry.push('many', 'other', other);
    const index = indexOf({ 'linux/s390x': other, [`linux/${architecture}`]: own });
    const digest = await images.registry.pushManifest('many', 'both', index);
    const facts = await new ImageRegistry().inspect(images.at('many:both'));
    expect(facts).toMatchObject({ digest, config: { platform: { architecture } } });
    const layout = join(images.folder, 'layout');
    await new ImageRegistry().pull({ ...images.at('many'), digest }, layout);
    await unpackImage(layout, join(images.folder, 'root'), { image: 'x' });
    expect(await readFile(join(images.folder, 'root/index.html'), 'utf8')).toBe('hello');
  });

  it('says what an image for another platform is made for', async () => {
    const other = anImage({ layers: [site], architecture: 's390x' });
    await images.registry.push('foreign', '1', other);
    await images.registry.pushManifest('foreign', 'index', indexOf({ 'linux/s390x': other }));
    const inspect = (tag: string) => new ImageRegistry().inspect(images.at(`foreign:${tag}`));
    const message = /foreign:\w+: it is made for linux\/s390x, and this host is linux/;
    await expect(inspect('1')).rejects.toEqual(failing('wrong-platform', message));
    await expect(inspect('index')).rejects.toEqual(failing('wrong-platform', message));
  });

  it('tells apart what is not there, who must not, and who does not answer', async () => {
    await images.registry.push('there', '1', anImage({ layers: [site] }));
    const client = new ImageRegistry();
    await expect(client.inspect(images.at('there:2'))).rejects.toEqual(
      failing('not-found', /there:2: .*no such image/),
    );
    await expect(client.inspect(images.at('nowhere:1'))).rejects.toEqual(failing('not-found'));
    await expect(client.inspect(images.at(`there@sha256:${'0'.repeat(64)}`))).rejects.toEqual(
      failing('not-found'),
    );
    await expect(client.inspect(images.at('there:1', '127.0.0.1:1'))).rejects.toEqual(
      failing('unreachable', /127\.0\.0\.1:1\/there:1: the registry cannot be reached .*connection refused/),
    );
    await expect(client.inspect(images.at('there:1', 'registry.invalid'))).rejects.toEqual(
      failing('unreachable'),
    );
  });

  it('refuses images over the limit before a byte is copied', async () => {
    const image = anImage({ layers: [[{ name: 'a', content: Buffer.alloc(2_000_000, 7) }]] });
    const heavy = { ...image.layers[0], size: 2 * 1024 ** 3 };
    await images.registry.push('heavy', '1', image);
    // The registry does not compare sizes: the manifest says what the layers are to have.
    const manifest = JSON.parse(image.manifest.bytes.toString());
    manifest.layers[0].size = heavy.size;
    await images.registry.pushManifest(
      'heavy',
      '2',
      blob(image.manifest.mediaType, Buffer.from(JSON.stringify(manifest))),
    );
    await expect(new ImageRegistry().inspect(images.at('heavy:2'))).rejects.toEqual(
      failing('too-large', /heavy:2: its layers have 2048 MB; at most 1024 MB are accepted/),
    );
    await expect(new ImageRegistry({ maxBytes: 100 }).inspect(images.at('heavy:1'))).rejects.toEqual(
      failing('too-large'),
    );
  });

  it('refuses what is no image', async () => {
    const manifest = blob('application/vnd.oci.image.manifest.v1+json', Buffer.from('{"schemaVersion":2}'));
    const server = await answering(manifest.bytes, manifest.mediaType);
    try {
      const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await expect(new ImageRegistry().inspect(images.at('odd:1', address))).rejects.toEqual(
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
    const { digest } = await client.inspect(images.at('private:1', guarded.address));
    await client.pull({ ...images.at('private', guarded.address), digest }, join(images.folder, 'layout'));
    expect(existsSync(join(images.folder, 'layout/index.json'))).toBe(true);
  });

  it.each(['none', 'wrong'])('are told to be missing when there are %s', async (kind) => {
    const authFile = kind === 'wrong' ? await guarded.authFile('ada', 'guess') : undefined;
    const client = new ImageRegistry(authFile === undefined ? {} : { authFile });
    await expect(client.inspect(images.at('private:1', guarded.address))).rejects.toEqual(
      failing('unauthorized', /private:1: the registry refuses access.*OPENSCF_REGISTRY_AUTH_FILE/),
    );
  });
});

describe('pull', () => {
  it('gives the bytes of the digest, wherever the tag has moved', async () => {
    const first = await images.registry.push('moving', '1', anImage({ layers: [site] }));
    await images.registry.push(
      'moving',
      '1',
      anImage({ layers: [[{ name: 'index.html', content: 'moved' }]] }),
    );
    await new ImageRegistry().pull(
      { ...images.at('moving:1'), digest: first },
      join(images.folder, 'layout'),
    );
    await unpackImage(join(images.folder, 'layout'), join(images.folder, 'root'), { image: 'x' });
    expect(await readFile(join(images.folder, 'root/index.html'), 'utf8')).toBe('hello');
  });

  it('takes layers of every compression', async () => {
    const tar = tarOf(site);
    const image = anImage({ layers: [tar] });
    const kinds = { '': tar, '+gzip': gzipSync(tar), '+zstd': zstdCompressSync(tar) };
    for (const [kind, bytes] of Object.entries(kinds)) {
      const layer = blob(`application/vnd.oci.image.layer.v1.tar${kind}`, bytes);
      const manifest = manifestOf(image.config, [layer]);
      const root = await images.unpacked({ ...image, layers: [layer], manifest });
      expect(await readFile(join(root, 'index.html'), 'utf8')).toBe('hello');
      await rm(images.folder, { recursive: true });
      await mkdir(images.folder);
    }
  });

  it('refuses a layer that is not what the manifest says', async () => {
    const image = anImage({ layers: [site] });
    const digest = await images.registry.push('damaged', '1', image);
    const hex = image.layers[0]?.digest.slice('sha256:'.length) ?? '';
    const path = join(
      images.registry.storage,
      'docker/registry/v2/blobs/sha256',
      hex.slice(0, 2),
      hex,
      'data',
    );
    const bytes = await readFile(path);
    await writeFile(
      path,
      bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
    );
    try {
      await expect(
        new ImageRegistry().pull({ ...images.at('damaged'), digest }, join(images.folder, 'layout')),
      ).rejects.toEqual(failing('broken'));
    } finally {
      await writeFile(path, bytes);
    }
  });

  it('refuses layers over the limit, whatever the manifest says of them', async () => {
    const small = new ImageRegistry({ maxBytes: 1_000 });
    const image = anImage({ layers: [[{ name: 'noise', content: randomBytes(40_000_000) }]] });
    const digest = await images.registry.push('large', '1', image);
    await expect(small.inspect(images.at('large:1'))).rejects.toEqual(failing('too-large'));
    await expect(
      small.pull({ ...images.at('large'), digest }, join(images.folder, 'layout')),
    ).rejects.toEqual(failing('too-large'));
    const manifest = JSON.parse(image.manifest.bytes.toString());
    manifest.layers[0].size = 500;
    const lie = blob(image.manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
    await images.registry.pushManifest('large', 'lie', lie);
    await expect(
      small.pull({ ...images.at('large'), digest: lie.digest }, join(images.folder, 'lie')),
    ).rejects.toBeInstanceOf(ImageError);
  });

  it('gives up when its time is over, or nobody waits', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const silent = {
      ...images.at('x', `127.0.0.1:${(server.address() as AddressInfo).port}`),
      digest: `sha256:${'1'.repeat(64)}`,
    };
    const pull = (signal: AbortSignal) =>
      new ImageRegistry().pull(silent, join(images.folder, 'layout'), { signal });
    await expect(pull(AbortSignal.timeout(50))).rejects.toEqual(
      failing('timed-out', /did not give it in time/),
    );
    await expect(pull(AbortSignal.abort())).rejects.toEqual(failing('cancelled'));
    server.closeAllConnections();
    server.close();
  });
});
