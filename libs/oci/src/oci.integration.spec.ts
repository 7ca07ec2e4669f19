import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
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
    const image = anImage({ layers: [[{ name: 'noise', content: randomBytes(60_000_000) }]] });
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

describe('unpack', () => {
  it('lays layers over one another: what they replace is replaced, what they delete is gone', async () => {
    const root = await unpacked(
      anImage({
        layers: [
          [
            { name: 'bin/', type: 'directory' },
            { name: 'bin/tool', content: 'one', mode: 0o4700 },
            { name: 'bin/gone', content: 'x' },
            { name: 'old/', type: 'directory' },
            { name: 'old/a', content: 'x' },
            { name: 'secret', content: 's', mode: 0o600 },
          ],
          [
            { name: 'bin/tool', content: 'two', mode: 0o4700 },
            { name: 'bin/.wh.gone' },
            { name: 'old/.wh..wh..opq' },
            { name: 'old/b', content: 'y' },
            { name: 'link', type: 'symlink', target: 'bin/tool' },
            { name: 'hard', type: 'hardlink', target: 'bin/tool' },
          ],
        ],
      }),
    );
    expect((await readdir(root)).sort()).toEqual(['bin', 'hard', 'link', 'old', 'secret']);
    expect(await readdir(join(root, 'bin'))).toEqual(['tool']);
    expect(await readdir(join(root, 'old'))).toEqual(['b']);
    expect(await readFile(join(root, 'link'), 'utf8')).toBe('two');
    // Everybody may read and run it, as whom they are.
    expect((await stat(join(root, 'hard'))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(root, 'secret'))).mode & 0o7777).toBe(0o644);
  });

  const outside = ['/tmp/openscf-escaped', '/openscf-escaped'];
  const inside = [{ name: 'ordinary', content: 'x' }] as const;
  it.each<[string, LayerEntry[][]]>([
    ['a path that climbs', [[{ name: '../../../../tmp/openscf-escaped', content: 'x' }]]],
    ['an absolute path', [[{ name: '/tmp/openscf-escaped', content: 'x' }]]],
    [
      'a link to a folder of the host, written through',
      [[{ name: 'd', type: 'symlink', target: '/tmp' }], [{ name: 'd/openscf-escaped', content: 'x' }]],
    ],
    [
      'a link that climbs, written through',
      [
        [{ name: 'd', type: 'symlink', target: '../../../../../tmp' }],
        [{ name: 'd/openscf-escaped', content: 'x' }],
      ],
    ],
    [
      'a link in the place of the root',
      [[{ name: '.', type: 'symlink', target: '/' }], [{ name: 'openscf-escaped', content: 'x' }]],
    ],
    [
      'a hard link to a file of the host',
      [[{ name: 'shadow', type: 'hardlink', target: '/etc/shadow' }], [{ name: 'shadow', content: 'x' }]],
    ],
    [
      'a whiteout through a link',
      [[{ name: 'd', type: 'symlink', target: '/tmp' }], [{ name: 'd/.wh.openscf-witness' }]],
    ],
    ['a whiteout that climbs', [[{ name: '../../../../../tmp/.wh.openscf-witness' }]]],
    ['a whiteout of a parent', [[{ name: '.wh...' }], [{ name: '.wh..' }]]],
    [
      'an opaque folder through a link',
      [[{ name: 'd', type: 'symlink', target: '/tmp/openscf-folder' }], [{ name: 'd/.wh..wh..opq' }]],
    ],
    ['a device', [[{ name: 'null', type: 'device', mode: 0o666 }]]],
  ])('never reaches out of the folder: %s', async (_name, layers) => {
    const shadow = await readFile('/etc/shadow');
    const { nlink, mode } = await stat('/etc/shadow');
    const witness = '/tmp/openscf-witness';
    await writeFile(witness, 'here');
    const layout = await pulled(anImage({ layers: [[...inside], ...layers] }));
    const root = join(folder, 'root');
    const outcome = await unpackImage(layout, root, { image: 'hostile' }).then(
      () => 'unpacked',
      (error: unknown) => error,
    );
    try {
      for (const path of outside) expect(existsSync(path)).toBe(false);
      expect(await readFile(witness, 'utf8')).toBe('here');
      expect(await readFile('/etc/shadow')).toEqual(shadow);
      expect(await stat('/etc/shadow')).toMatchObject({ nlink, mode });
      expect((await readdir(folder)).sort()).toEqual(
        outcome === 'unpacked' ? ['layout', 'root'] : ['layout'],
      );
      if (outcome === 'unpacked') {
        for (const name of await readdir(root)) {
          const entry = await lstat(join(root, name));
          expect(entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()).toBe(true);
        }
      } else {
        expect(outcome).toEqual(failing('broken', /^Image hostile: /));
      }
    } finally {
      await rm(witness, { force: true });
    }
  });

  it('keeps links as they are, wherever they point', async () => {
    const root = await unpacked(
      anImage({ layers: [[{ name: 'l', type: 'symlink', target: '/etc/passwd' }]] }),
    );
    expect(await readlink(join(root, 'l'))).toBe('/etc/passwd');
  });

  it('stops at the limit, and leaves nothing', async () => {
    const bomb = anImage({ layers: [[{ name: 'zeros', content: Buffer.alloc(300_000_000) }]] });
    await expect(unpacked(bomb, 20_000_000)).rejects.toEqual(
      failing('too-large', /Image x: it unpacks to more than 19 MB/),
    );
    expect(existsSync(join(folder, 'root'))).toBe(false);
  });

  it('says when a layer is no archive', async () => {
    const image = anImage({ layers: [site] });
    const layer = blob(image.layers[0]?.mediaType ?? '', Buffer.from('no archive at all'));
    const broken = { ...image, layers: [layer], manifest: manifestOf(image.config, [layer]) };
    await expect(unpacked(broken)).rejects.toEqual(failing('broken'));
    const cut = tarOf([{ name: 'a', content: 'x'.repeat(5_000) }]).subarray(0, 2_000);
    await expect(unpacked(anImage({ layers: [cut] }))).rejects.toEqual(failing('broken'));
    expect(existsSync(join(folder, 'root'))).toBe(false);
  });
});
