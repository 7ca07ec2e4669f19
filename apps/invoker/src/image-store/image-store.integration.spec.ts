import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageCode } from '@openscf/contracts';
import { ImageRegistry, missingImageTools } from '@openscf/oci';
import { anImage, launchImageRegistry, type BuiltImage, type ImageRegistryPart } from '@openscf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ImageStore, type ImageStoreOptions } from './image-store.js';

describe('image store', () => {
  let registry: ImageRegistryPart;
  let folder: string;
  const pull = vi.fn();
  const forgetRoot = vi.fn();

  beforeAll(async () => {
    expect(await missingImageTools()).toBeUndefined();
    registry = await launchImageRegistry();
  });
  afterAll(() => registry?.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-images-'));
    pull.mockReset();
    forgetRoot.mockReset();
    forgetRoot.mockResolvedValue(undefined);
    const client = new ImageRegistry();
    pull.mockImplementation((...args: Parameters<ImageRegistry['pull']>) => client.pull(...args));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function store(changes: Partial<ImageStoreOptions> = {}): Promise<ImageStore> {
    const made = new ImageStore({
      root: join(folder, 'images'),
      maxBytes: 1e9,
      registry: { pull },
      missing: undefined,
      pullTimeoutMs: 60_000,
      resolvConf: () => Promise.resolve('nameserver 198.18.0.3\n'),
      forgetRoot,
      log: () => undefined,
      ...changes,
    });
    await made.open();
    return made;
  }

  async function deployed(image: BuiltImage, name = 'site'): Promise<ImageCode> {
    const digest = await registry.push(`team/${name}`, '1', image);
    return {
      kind: 'image',
      imageUri: `${registry.address}/team/${name}:1`,
      digest,
      sizeBytes: 1,
      command: [],
      args: [],
      port: 9000,
    };
  }

  function site(content = 'hello', more: Parameters<typeof anImage>[0]['layers'][number] = []): BuiltImage {
    const entries = Buffer.isBuffer(more) ? [] : more;
    return anImage({
      layers: [[{ name: 'index.html', content }, ...entries]],
      cmd: ['/serve'],
      workingDir: '/srv/site',
    });
  }

  it('pulls and flattens an image once, however many ask for it', async () => {
    const code = await deployed(site());
    const images = await store();
    const leases = await Promise.all([1, 2, 3].map(() => images.acquire(code)));
    await images.acquire(code);
    expect(pull).toHaveBeenCalledTimes(1);
    const [{ rootfs, config } = { rootfs: '', config: undefined }] = leases;
    expect(await readFile(join(rootfs, 'index.html'), 'utf8')).toBe('hello');
    expect(config).toMatchObject({ cmd: ['/serve'], workingDir: '/srv/site' });
    // Nothing but the root and its description is kept.
    expect(await readdir(join(folder, 'images', code.digest.slice(7)))).toHaveLength(2);
  });

  it('adds what an instance mounts and looks up', async () => {
    const entries = [
      { name: 'etc', type: 'directory' },
      { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh' },
      { name: 'etc/resolv.conf', type: 'symlink', target: '/run/systemd/resolve/stub-resolv.conf' },
      { name: 'tmp', type: 'symlink', target: '/etc' },
      { name: 'run', content: 'in the way' },
    ] as const;
    const { rootfs } = await (await store()).acquire(await deployed(site('x', entries)));
    for (const path of [
      'proc',
      'dev',
      'sys',
      'run/openscf',
      'var/user',
      'var/runtime/agent',
      'opt',
      'mnt',
      'srv/site',
      'tmp',
    ])
      expect((await lstat(join(rootfs, path))).isDirectory(), path).toBe(true);
    expect((await stat(join(rootfs, 'tmp'))).mode & 0o7777).toBe(0o1777);
    expect(await readFile(join(rootfs, 'etc/resolv.conf'), 'utf8')).toBe('nameserver 198.18.0.3\n');
    expect(await readFile(join(rootfs, 'etc/passwd'), 'utf8')).toBe(
      'root:x:0:0::/root:/bin/sh\nqcloud:x:1000:1000::/tmp:/bin/sh\n',
    );
  });

  it('pulls the digest that was deployed, wherever the tag has moved', async () => {
    const code = await deployed(site('first'), 'moving');
    await deployed(site('second'), 'moving');
    const { rootfs } = await (await store()).acquire(code);
    expect(await readFile(join(rootfs, 'index.html'), 'utf8')).toBe('first');
  });

  it('finds after a restart what is complete, and removes what is not', async () => {
    const code = await deployed(site());
    await (await store()).acquire(code);
    const root = join(folder, 'images');
    await mkdir(join(root, '.part-left'));
    await mkdir(join(root, 'f'.repeat(64)));
    const { config } = await (await store()).acquire(code);
    expect(config.cmd).toEqual(['/serve']);
    expect(pull).toHaveBeenCalledTimes(1);
    expect(await readdir(root)).toEqual([code.digest.slice(7)]);
  });

  it('leaves nothing behind when an image cannot be had, and tries again', async () => {
    const code = await deployed(site());
    const images = await store();
    const gone = { ...code, digest: `sha256:${'0'.repeat(64)}` };
    await expect(images.acquire(gone)).rejects.toMatchObject({ reason: 'not-found' });
    const loop = [
      { name: 'var', type: 'symlink', target: '/opt' },
      { name: 'opt', type: 'symlink', target: '/var' },
    ] as const;
    const odd = await deployed(site('x', loop), 'loop');
    await expect(images.acquire(odd)).rejects.toMatchObject({
      reason: 'broken',
      message: expect.stringContaining('too many links'),
    });
    expect(await readdir(join(folder, 'images'))).toEqual([]);
    await expect(images.acquire(code)).resolves.toBeDefined();
  });

  it('gives up when the time for it is over', async () => {
    pull.mockImplementation(
      (_reference, _layout, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const images = await store({ pullTimeoutMs: 20 });
    await expect(images.acquire(await deployed(site()))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await readdir(join(folder, 'images'))).toEqual([]);
  });

  it('removes the least recently used image when it is full, never one in use', async () => {
    const padding = 'x'.repeat(400_000);
    const codes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => deployed(site(name + padding), name)));
    const images = await store({ maxBytes: 1_100_000 });
    const leases = [];
    for (const code of codes.slice(0, 3)) leases.push(await images.acquire(code));
    expect(leases.every(({ rootfs }) => existsSync(rootfs))).toBe(true);
    leases[1]?.release();
    leases[2]?.release();
    await images.acquire(codes[3] as ImageCode);
    expect(leases.map(({ rootfs }) => existsSync(rootfs))).toEqual([true, false, false]);
    expect(forgetRoot.mock.calls.flat()).toEqual(leases.slice(1).map(({ rootfs }) => rootfs));
    // Pulled again it lies elsewhere: drivers keep a mount of the old root.
    const again = await images.acquire(codes[1] as ImageCode);
    expect(again.rootfs).not.toBe(leases[1]?.rootfs);
    expect(existsSync(again.rootfs)).toBe(true);
  });

  it('removes an image also when those who are told of it fail', async () => {
    const padding = 'x'.repeat(400_000);
    const [first, second] = await Promise.all(['g', 'h'].map((name) => deployed(site(name + padding), name)));
    const images = await store({ maxBytes: 600_000 });
    (await images.acquire(first as ImageCode)).release();
    forgetRoot.mockRejectedValueOnce(new Error('not now'));
    await images.acquire(second as ImageCode);
    expect(await readdir(join(folder, 'images'))).toEqual([second?.digest.slice(7)]);
  });

  it('pulls ahead what there is room for, and says nothing when it cannot', async () => {
    const codes = await Promise.all(
      ['e', 'f'].map((name) => deployed(site(name + 'x'.repeat(500_000)), name)),
    );
    const [first, second] = codes.map((code) => ({ ...code, sizeBytes: 200_000 })) as [ImageCode, ImageCode];
    const images = await store({ maxBytes: 1_000_000 });
    await Promise.all(
      [first, second, { ...first, digest: `sha256:${'0'.repeat(64)}` }].map((code) => images.prefetch(code)),
    );
    expect(await readdir(join(folder, 'images'))).toEqual([first.digest.slice(7)]);
    expect(pull).toHaveBeenCalledTimes(1);
    await images.acquire(first);
    expect(pull).toHaveBeenCalledTimes(1);
  });

  it('gives up what it pulls when it is closed', async () => {
    pull.mockImplementation(
      (_reference, _layout, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const images = await store();
    const code = await deployed(site());
    const acquired = images.acquire(code);
    await expect.poll(() => pull.mock.calls.length).toBe(1);
    images.close();
    await expect(acquired).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(join(folder, 'images'))).toEqual([]);
  });

  it('says what to install when this host cannot run images', async () => {
    const images = await store({ missing: 'install umoci: apt-get install -y umoci' });
    await expect(images.acquire(await deployed(site()))).rejects.toMatchObject({
      reason: 'tools-missing',
      message: expect.stringContaining('apt-get install -y umoci'),
    });
  });

  it('does not use what another version of it has left', async () => {
    const code = await deployed(site());
    await (await store()).acquire(code);
    const path = join(folder, 'images', code.digest.slice(7), 'image.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), format: 0 }));
    await (await store()).acquire(code);
    expect(pull).toHaveBeenCalledTimes(2);
  });
});
