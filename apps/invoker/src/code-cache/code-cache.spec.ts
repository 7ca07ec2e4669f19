import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { CodePackage } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ZipFile } from 'yazl';
import { CodeCache } from './code-cache.js';
import { unpackZip } from './zip.extractor.js';

interface Entry {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
}

async function zipOf(...entries: readonly Entry[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, content = '', mode = 0o100644 } of entries)
    zip.addBuffer(Buffer.from(content), name, { mode });
  zip.end();
  return buffer(zip.outputStream as Readable);
}

/** The same zip with a name replaced by one of the same length, which the writer would refuse. */
function renamed(zip: Buffer, from: string, to: string): Buffer {
  return Buffer.from(zip.toString('latin1').replaceAll(from, to), 'latin1');
}

describe('code cache', () => {
  let folder: string;
  const stored = new Map<string, Buffer>();
  const fetched = vi.fn();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-code-'));
    fetched.mockReset();
    stored.clear();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function store(zip: Buffer): CodePackage {
    const sha256 = createHash('sha256').update(zip).digest('hex');
    stored.set(sha256, zip);
    return { sha256, sizeBytes: zip.length, objectKey: sha256 };
  }

  async function cache(maxBytes = 1e9): Promise<CodeCache> {
    const made = new CodeCache({
      root: join(folder, 'cache'),
      maxBytes,
      log: () => undefined,
      fetch: (objectKey) => {
        fetched(objectKey);
        return Promise.resolve(Readable.from([stored.get(objectKey) ?? Buffer.alloc(0)]));
      },
    });
    await made.open();
    return made;
  }

  it('unpacks a package once, however many ask for it, and keeps executable bits', async () => {
    const code = store(
      await zipOf({ name: 'src/a.js', content: 'x' }, { name: 'run', content: 'y', mode: 0o100750 }),
    );
    const files = await cache();
    const leases = await Promise.all([1, 2, 3].map(() => files.acquire(code)));
    expect(fetched).toHaveBeenCalledTimes(1);
    const [{ directory } = { directory: '' }] = leases;
    expect(await readFile(join(directory, 'src/a.js'), 'utf8')).toBe('x');
    expect((await stat(join(directory, 'src/a.js'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(directory, 'run'))).mode & 0o777).toBe(0o755);
    await files.acquire(code);
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it('finds after a restart what is complete, and removes what is not', async () => {
    const code = store(await zipOf({ name: 'a.js', content: 'x' }));
    await (await cache()).acquire(code);
    await mkdir(join(folder, 'cache/.part-left'));
    await (await cache()).acquire(code);
    expect(fetched).toHaveBeenCalledTimes(1);
    expect((await readdir(join(folder, 'cache'))).filter((name) => name.startsWith('.part'))).toEqual([]);
  });

  it('refuses bytes that are not what was deployed, and leaves nothing behind', async () => {
    const code = store(await zipOf({ name: 'a.js' }));
    stored.set(code.objectKey, await zipOf({ name: 'b.js' }));
    const files = await cache();
    await expect(files.acquire(code)).rejects.toThrow('is not what was deployed');
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
    stored.set(code.objectKey, await zipOf({ name: 'a.js' }));
    await expect(files.acquire(code)).resolves.toBeDefined();
  });

  it('removes the least recently used package when it is full, never one in use', async () => {
    const content = Buffer.alloc(1_000, 'x');
    const codes = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => store(await zipOf({ name, content }))),
    );
    const files = await cache(2_500);
    const leases = [];
    for (const code of codes.slice(0, 3)) leases.push(await files.acquire(code));
    expect(leases.every(({ directory }) => existsSync(directory))).toBe(true);
    leases[1]?.release();
    leases[2]?.release();
    await files.acquire(codes[3] as CodePackage);
    expect(leases.map(({ directory }) => existsSync(directory))).toEqual([true, false, false]);
  });

  describe('unpacking', () => {
    async function unpack(zip: Buffer, limits?: Parameters<typeof unpackZip>[2]): Promise<string> {
      const [path, target] = [join(folder, 'package.zip'), join(folder, 'target')];
      await writeFile(path, zip);
      await mkdir(target);
      await unpackZip(path, target, limits);
      return target;
    }

    it.each([
      ['a path outside', 'aa/evil', '../evil', /invalid relative path: \.\.\/evil/],
      ['an absolute path', 'a/evil', '//evil', /absolute path: \/\/evil/],
      ['a backslash', 'a/evil', 'a\\evil', /invalid characters in fileName: a\\evil/],
    ])('refuses %s', async (_name, from, to, message) => {
      await expect(unpack(renamed(await zipOf({ name: from }), from, to))).rejects.toThrow(message);
      expect(existsSync(join(folder, 'evil'))).toBe(false);
    });

    it.each([
      ['an absolute link', [{ name: 'l', content: '/etc/passwd', mode: 0o120777 }]],
      ['a link out', [{ name: 'l', content: '../..', mode: 0o120777 }]],
      [
        'a chain of links that leads out',
        [
          { name: 'd/x', content: '..', mode: 0o120777 },
          { name: 'y', content: 'd/x/../d/x/..', mode: 0o120777 },
          { name: 'z', content: 'd/x/../y', mode: 0o120777 },
          { name: 'w', content: 'd/x/../..', mode: 0o120777 },
        ],
      ],
    ])('refuses %s', async (_name, entries) => {
      await expect(unpack(await zipOf(...entries))).rejects.toThrow(/leads outside/);
    });

    it('never writes through a link', async () => {
      const zip = await zipOf({ name: 'a', content: '.', mode: 0o120777 }, { name: 'a/b', content: 'x' });
      await expect(unpack(zip)).rejects.toThrow(/cannot be unpacked/);
    });

    it('keeps links that stay inside', async () => {
      const target = await unpack(
        await zipOf(
          { name: 'bin/tool', content: '../lib/tool.js', mode: 0o120777 },
          { name: 'lib/tool.js', content: 'x' },
        ),
      );
      expect(await readFile(join(target, 'bin/tool'), 'utf8')).toBe('x');
    });

    it('refuses more bytes, more entries or a higher ratio than the limits', async () => {
      const entries = Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, content: 'x'.repeat(100) }));
      const zip = await zipOf(...entries);
      const limits = { bytes: 1e9, entries: 100, ratio: 1e6 };
      await expect(unpack(zip, { ...limits, entries: 4 })).rejects.toThrow('more than 4 entries');
      await rm(join(folder, 'target'), { recursive: true });
      await expect(unpack(zip, { ...limits, bytes: 400 })).rejects.toThrow('unpacks to more than 0 MB');
      await rm(join(folder, 'target'), { recursive: true });
      const bomb = await zipOf({ name: 'zeros', content: Buffer.alloc(20_000_000) });
      await expect(unpack(bomb)).rejects.toThrow('more than 200 times its size');
    });

    it('says that something is not a zip', async () => {
      await expect(unpack(Buffer.from('hello'))).rejects.toThrow('the package is not a zip');
    });
  });
});
