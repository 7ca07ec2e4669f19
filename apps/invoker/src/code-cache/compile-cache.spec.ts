import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionState } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CompileCache, compileKeyOf, type CompiledFiles } from './compile-cache.js';

describe('compile cache', () => {
  let folder: string;
  let cache: CompileCache;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-compile-'));
    cache = await opened();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function opened(): Promise<CompileCache> {
    const made = new CompileCache({ root: join(folder, 'root'), log: () => undefined });
    await made.open();
    return made;
  }

  function send(files: CompiledFiles | undefined, ...frames: [object, string?][]): void {
    for (const [head, body] of frames) files?.add(Buffer.from(JSON.stringify(head)), Buffer.from(body ?? ''));
  }

  it('keeps what the first instance sends, whole and for instances to read', async () => {
    const files = cache.collect('k');
    expect(cache.collect('k')).toBeUndefined();
    send(files, [{ name: 'v24/ab12' }, 'code'], [{ name: '%2Fvar%2Fuser%2Findex.js' }, 'more']);
    expect(cache.acquire('k')).toBeUndefined();
    send(files, [{}]);
    await vi.waitFor(() => expect(cache.acquire('k')).toBeDefined());
    const directory = cache.acquire('k')?.directory ?? '';
    expect(await readFile(join(directory, 'v24/ab12'), 'utf8')).toBe('code');
    expect((await stat(join(directory, 'v24/ab12'))).mode & 0o777).toBe(0o644);
    expect(cache.collect('k')).toBeUndefined();
    expect((await opened()).acquire('k')?.directory).toBe(directory);
  });

  it.each(['../x', '/etc/passwd', 'a/../../x', 'a//b', '.hidden', 'a/./b', 'a\\b', ''])(
    'takes nothing from who sends a file called %j',
    async (name) => {
      send(cache.collect('k'), [{ name: 'fine' }, 'x'], [{ name }, 'x'], [{}]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(cache.acquire('k')).toBeUndefined();
      expect(existsSync(join(folder, 'x'))).toBe(false);
    },
  );

  it('lets a few try whose cache breaks off', () => {
    for (let i = 0; i < 3; i++) {
      const files = cache.collect('k');
      send(files, [{ name: 'fine' }, 'x']);
      files?.abandon();
    }
    expect(cache.collect('k')).toBeUndefined();
  });

  it('goes on asking while instances end before they send anything', () => {
    for (let i = 0; i < 10; i++) cache.collect('k')?.abandon();
    expect(cache.collect('k')).toBeDefined();
  });

  it('bounds what is sent', async () => {
    const files = cache.collect('k');
    for (let i = 0; i < 40; i++) files?.add(Buffer.from(`{"name":"f${i}"}`), Buffer.alloc(1024 * 1024));
    send(files, [{}]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cache.acquire('k')).toBeUndefined();
  });

  it('is another one for other code, another function, other layers, another runtime and other options of it', () => {
    const state = {
      functionId: 'lam-1',
      code: { kind: 'package', sha256: 'a' },
      layers: [],
      environment: {},
    } as unknown as FunctionState;
    const keys = [
      compileKeyOf(state, 'Nodejs22'),
      compileKeyOf({ ...state, functionId: 'lam-2' }, 'Nodejs22'),
      compileKeyOf({ ...state, code: { kind: 'package', sha256: 'b' } as FunctionState['code'] }, 'Nodejs22'),
      compileKeyOf({ ...state, layers: [{ sha256: 'c' }] as FunctionState['layers'] }, 'Nodejs22'),
      compileKeyOf(state, 'Nodejs24'),
      compileKeyOf({ ...state, environment: { NODE_OPTIONS: '--max-lazy' } }, 'Nodejs22'),
      compileKeyOf({ ...state, environment: { PYTHONOPTIMIZE: '2' } }, 'Nodejs22'),
    ];
    expect(new Set(keys).size).toBe(7);
    expect(compileKeyOf({ ...state, environment: { ROUND: '1' } }, 'Nodejs22')).toBe(keys[0]);
  });
});
