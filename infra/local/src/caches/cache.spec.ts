import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedFolder } from './cache.ts';

describe('cachedFolder', () => {
  let cache: string;
  const silent = () => {};

  beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'openscf-cache-'))));
  afterEach(() => rmSync(cache, { recursive: true }));

  it('is filled once for two starts at the same time', async () => {
    let fills = 0;
    const fill = async (folder: string) => {
      fills += 1;
      expect(existsSync(join(cache, 'program'))).toBe(false);
      writeFileSync(join(folder, 'file'), 'whole');
    };
    const folders = await Promise.all([1, 2].map(() => cachedFolder(cache, 'program', silent, fill)));
    expect(folders).toEqual([join(cache, 'program'), join(cache, 'program')]);
    expect(fills).toBe(1);
  });

  it('is not there after a fill that failed, and the next one begins anew', async () => {
    const fail = async (folder: string) => {
      writeFileSync(join(folder, 'half'), '');
      throw new Error('no network');
    };
    await expect(cachedFolder(cache, 'program', silent, fail)).rejects.toThrow('no network');
    expect(readdirSync(cache)).toEqual([]);
    await cachedFolder(cache, 'program', silent, async (folder) => expect(readdirSync(folder)).toEqual([]));
  });
});
