import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isPlaced, place, sweep } from './place.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'openscf-place-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const write = (text: string) => (folder: string) => writeFile(join(folder, 'file'), text);

it('fills a place once per source, and replaces it when the source changes', async () => {
  const folder = join(root, 'node24');
  expect(await place(folder, { version: 1 }, write('one'))).toBe(true);
  expect(await place(folder, { version: 1 }, write('never'))).toBe(false);
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('one');
  expect(await place(folder, { version: 2 }, write('two'))).toBe(true);
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('two');
  expect(await readdir(root)).toEqual(['node24']);
});

it('leaves nothing of a failed fill, and keeps what was there', async () => {
  const folder = join(root, 'node24');
  await place(folder, { version: 1 }, write('one'));
  const failing = place(folder, { version: 2 }, () => Promise.reject(new Error('no network')));
  await expect(failing).rejects.toThrow('no network');
  expect(await isPlaced(folder, { version: 1 })).toBe(true);
  expect(await readdir(root)).toEqual(['node24']);
});

it('sweeps what a killed run left, and nothing of a running one', async () => {
  const running = `.node22.new.${process.pid}`;
  await mkdir(join(root, '.node24.new.99999999'));
  await mkdir(join(root, running));
  await mkdir(join(root, 'node18'));
  await sweep(root);
  expect((await readdir(root)).sort()).toEqual([running, 'node18'].sort());
});
