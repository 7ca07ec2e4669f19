import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anImage, blob, manifestOf, tarOf, type LayerEntry } from '@openscf/testing';
import { describe, expect, it } from 'vitest';
import { unpackImage } from './index.js';
import { failing, RegistryFixture } from './image-registry.fixture.js';

const site: readonly LayerEntry[] = [{ name: 'index.html', content: 'hello' }];

const images = RegistryFixture.use();

describe('unpack', () => {
  it('lays layers over one another: what they replace is replaced, what they delete is gone', async () => {
    const root = await images.unpacked(
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
    const layout = await images.pulled(anImage({ layers: [[...inside], ...layers] }));
    const root = join(images.folder, 'root');
    const outcome = await unpackImage(layout, root, { image: 'hostile' }).then(
      () => 'unpacked',
      (error: unknown) => error,
    );
    try {
      for (const path of outside) expect(existsSync(path)).toBe(false);
      expect(await readFile(witness, 'utf8')).toBe('here');
      expect(await readFile('/etc/shadow')).toEqual(shadow);
      expect(await stat('/etc/shadow')).toMatchObject({ nlink, mode });
      expect((await readdir(images.folder)).sort()).toEqual(
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
    const root = await images.unpacked(
      anImage({ layers: [[{ name: 'l', type: 'symlink', target: '/etc/passwd' }]] }),
    );
    expect(await readlink(join(root, 'l'))).toBe('/etc/passwd');
  });

  it('stops at the limit, and leaves nothing', async () => {
    const bomb = anImage({ layers: [[{ name: 'zeros', content: Buffer.alloc(300_000_000) }]] });
    await expect(images.unpacked(bomb, 20_000_000)).rejects.toEqual(
      failing('too-large', /Image x: it unpacks to more than 19 MB/),
    );
    expect(existsSync(join(images.folder, 'root'))).toBe(false);
  });

  it('says when a layer is no archive', async () => {
    const image = anImage({ layers: [site] });
    const layer = blob(image.layers[0]?.mediaType ?? '', Buffer.from('no archive at all'));
    const broken = { ...image, layers: [layer], manifest: manifestOf(image.config, [layer]) };
    await expect(images.unpacked(broken)).rejects.toEqual(failing('broken'));
    const cut = tarOf([{ name: 'a', content: 'x'.repeat(5_000) }]).subarray(0, 2_000);
    await expect(images.unpacked(anImage({ layers: [cut] }))).rejects.toEqual(failing('broken'));
    expect(existsSync(join(images.folder, 'root'))).toBe(false);
  });
});
