import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkZip, readZipText } from './zip-archive.source.js';
import { craftZip, type CraftedEntry } from '../../test/crafted-zip.factory.js';

const LINK_MODE = 0o120777;

describe('checkZip', () => {
  let path: string;
  beforeEach(() => {
    path = join(tmpdir(), `openscf-zip-${randomUUID()}.zip`);
  });
  afterEach(() => rm(path, { force: true }));

  async function check(entries: CraftedEntry[]): Promise<void> {
    await writeFile(path, craftZip(entries));
    await checkZip(path);
  }

  it('accepts files, folders, stored and deflated, and links that stay inside', async () => {
    await check([
      { name: './index.js', content: 'exports.main_handler = () => 1;' },
      { name: 'node_modules/' },
      { name: 'node_modules/.bin/tool', content: '../tool/cli.js', mode: LINK_MODE },
      { name: 'node_modules/tool/cli.js', content: 'x', stored: true },
      { name: '中文/文件.txt', content: '好' },
    ]);
  });

  it.each<[string, CraftedEntry[], RegExp]>([
    ['an entry that climbs out', [{ name: '../evil.js', content: 'x' }], /\.\.\/evil\.js/],
    ['one that climbs in the middle', [{ name: 'a/../../evil.js', content: 'x' }], /a\/\.\.\/\.\.\/evil\.js/],
    ['an absolute path', [{ name: '/etc/passwd', content: 'x' }], /\/etc\/passwd/],
    ['a drive letter', [{ name: 'C:/evil.js', content: 'x' }], /C:\/evil\.js/],
    ['a backslash', [{ name: '..\\evil.js', content: 'x' }], /evil\.js/],
    [
      'a name twice',
      [
        { name: 'a.js', content: '1' },
        { name: './a.js', content: '2' },
      ],
      /"\.\/a\.js" is there twice/,
    ],
    [
      'a file that is a folder',
      [
        { name: 'a', content: '1' },
        { name: 'a/b', content: '2' },
      ],
      /"a" is a file and a folder/,
    ],
    [
      'an absolute link',
      [{ name: 'l', content: '/etc', mode: LINK_MODE }],
      /the link "l" to "\/etc" is absolute/,
    ],
    ['a link out', [{ name: 'd/l', content: '../../x', mode: LINK_MODE }], /leads out of the package/],
    [
      'a link with a hidden climb',
      [{ name: 'l', content: 'a/../..', mode: LINK_MODE }],
      /"\.\." after a folder/,
    ],
    [
      'a file below a link',
      [
        { name: 'd', content: 'e', mode: LINK_MODE },
        { name: 'd/f', content: 'x' },
      ],
      /"d\/f" lies below the link "d"/,
    ],
    ['a device', [{ name: 'tty', content: '', mode: 0o020666 }], /"tty" is neither a file/],
    ['an encrypted entry', [{ name: 'a.js', content: 'x', flags: 1 }], /"a\.js" is encrypted/],
    ['an unknown method', [{ name: 'a.js', content: 'x', method: 12 }], /method 12/],
    ['a wrong checksum', [{ name: 'a.js', content: 'x', crc: 1 }], /"a\.js" is damaged/],
    ['a size that lies', [{ name: 'a.js', content: 'x'.repeat(1000), declaredBytes: 10 }], /too many bytes/],
    ['too much in all', [{ name: 'a.bin', content: 'x', declaredBytes: 600 * 1024 * 1024 }], /500 MB/],
    ['a bomb', [{ name: 'zeros', content: Buffer.alloc(20 * 1024 * 1024) }], /times its size/],
    ['no entries', [], /it is empty/],
  ])('refuses %s', async (_what, entries, message) => {
    await expect(check(entries)).rejects.toMatchObject({
      code: 'InvalidParameterValue.ZipFile',
      fault: 'caller',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each<[string, (zip: Buffer) => Buffer]>([
    ['is no zip', () => Buffer.from('not a zip at all')],
    ['is empty', () => Buffer.alloc(0)],
    ['was cut', (zip) => zip.subarray(0, zip.length - 10)],
    [
      'has damaged content',
      (zip) => Buffer.concat([zip.subarray(0, 40), Buffer.from([0xff, 0xff, 0xff]), zip.subarray(43)]),
    ],
  ])('refuses what %s', async (_what, damage) => {
    await writeFile(path, damage(craftZip([{ name: 'index.js', content: 'x'.repeat(100) }])));
    await expect(checkZip(path)).rejects.toMatchObject({ code: 'InvalidParameterValue.ZipFile' });
  });

  it('reads the text of an entry, when it is there and not too large', async () => {
    await writeFile(path, craftZip([{ name: './index.js', content: 'hello' }]));
    expect(await readZipText(path, ['index.mjs', 'index.js'], 5)).toBe('hello');
    expect(await readZipText(path, ['index.js'], 4)).toBeUndefined();
    expect(await readZipText(path, ['other.js'], 5)).toBeUndefined();
  });
});
