import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CodePackage } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LayerCache } from './layer-cache.js';

describe('layer cache', () => {
  let folder: string;
  const released = vi.fn();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-layers-'));
    released.mockReset();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function layer(name: string, files: Record<string, string>): Promise<CodePackage> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, name, path);
      await mkdir(dirname(file), { recursive: true });
      if (content.startsWith('->')) await symlink(content.slice(2), file);
      else await writeFile(file, content);
    }
    return { sha256: name, sizeBytes: 1, objectKey: name };
  }

  async function cache(): Promise<LayerCache> {
    const made = new LayerCache({
      root: join(folder, 'merged'),
      packages: {
        acquire: ({ sha256 }) =>
          Promise.resolve({ directory: join(folder, sha256), release: () => void released(sha256) }),
      },
    });
    await made.open();
    return made;
  }

  it('is nothing without layers, and the package itself for one', async () => {
    const layers = await cache();
    expect(await layers.acquire([])).toBeUndefined();
    const one = await layers.acquire([await layer('a', { x: '1' })]);
    expect(one?.directory).toBe(join(folder, 'a'));
    one?.release();
    expect(released).toHaveBeenCalledWith('a');
  });

  it('merges several in their order: the later wins, whatever lies there', async () => {
    const a = await layer('a', { 'lib/one': 'a', 'lib/both': 'a', 'file-or-folder': 'a', link: '->lib/one' });
    const b = await layer('b', { 'lib/two': 'b', 'lib/both': 'b', 'file-or-folder/x': 'b' });
    const layers = await cache();
    const text = async (order: CodePackage[], path: string): Promise<string> =>
      readFile(join((await layers.acquire(order))?.directory ?? '', path), 'utf8');
    expect(await text([a, b], 'lib/both')).toBe('b');
    expect(await text([a, b], 'file-or-folder/x')).toBe('b');
    expect(await text([b, a], 'lib/both')).toBe('a');
    expect(await text([b, a], 'file-or-folder')).toBe('a');
    expect(await text([b, a], 'lib/two')).toBe('b');
    expect(await text([a, b], 'link')).toBe('a');
    // What was merged shares its files with the packages; those are as they were.
    expect(await readFile(join(folder, 'a/lib/both'), 'utf8')).toBe('a');
  });

  it('merges a list once, and lets its packages go then', async () => {
    const list = [await layer('a', { x: '1' }), await layer('b', { y: '2' })];
    const layers = await cache();
    const leases = await Promise.all([1, 2, 3].map(() => layers.acquire(list)));
    expect(new Set(leases.map((lease) => lease?.directory)).size).toBe(1);
    expect(released).toHaveBeenCalledTimes(2);
  });

  it('leaves nothing behind of a list that cannot be had', async () => {
    const layers = await cache();
    const list = [await layer('a', { x: '1' }), { sha256: 'gone', sizeBytes: 1, objectKey: 'gone' }];
    await expect(layers.acquire(list)).rejects.toThrow(/ENOENT/);
    expect(released).toHaveBeenCalledTimes(2);
    await layer('gone', { y: '2' });
    const lease = await layers.acquire(list);
    expect(existsSync(join(lease?.directory ?? '', 'y'))).toBe(true);
  });
});
