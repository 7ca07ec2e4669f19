import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LayerState } from '@openscf/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RuntimeCatalog } from '../instance/runtime-catalog.js';
import { createSandboxDriver } from '../instance/sandbox-driver.factory.js';
import { InvokerFake } from '../invoker.fake.js';
import { CompileCache } from './compile-cache.js';
import { LayerCache } from './layer-cache.js';
import { SharedDirectories } from './shared-directories.js';
import { sharedFileSystemsSchema } from './shared-file-systems.config.js';

const cache = process.env['OPENSCF_CACHE'] ?? join(homedir(), '.cache/openscf');

/** What instances see of the host's folders, on real sandboxes. */
describe('files of functions', () => {
  let folder: string;
  let invoker: InvokerFake;
  let compileCache: CompileCache;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-files-'));
    await mkdir(join(folder, 'share/team'), { recursive: true });
    await chmod(join(folder, 'share/team'), 0o777);
    const packages = {
      acquire: ({ sha256 }: { sha256: string }) =>
        Promise.resolve({ directory: join(folder, sha256), release: () => undefined }),
    };
    compileCache = new CompileCache({ root: join(folder, 'compiled'), log: () => undefined });
    const layers = new LayerCache({ root: join(folder, 'layers'), packages });
    await Promise.all([compileCache.open(), layers.open()]);
    const sharedDirectories = new SharedDirectories({
      systems: sharedFileSystemsSchema.parse(`cfs-team=${folder}/share`),
      root: join(folder, 'shared'),
    });
    const catalog = await RuntimeCatalog.load(join(cache, 'runtimes/runtimes.json'));
    const names = ['Nodejs18.15', 'Nodejs20.19', 'Nodejs22', 'Python2.7', 'Python3.11'];
    const runtimes = names.flatMap((name) => catalog.get(name) ?? []);
    const driver = await createSandboxDriver('runc', {
      owner: `files-spec-${process.pid}`,
      relays: [],
      publicEgress: false,
      readyNetworks: 2,
    });
    const files = { compileCache, layers, sharedDirectories };
    invoker = await InvokerFake.start(driver, runtimes, { memoryMb: 2048, warmPoolMb: 100 }, files);
  });
  afterAll(async () => {
    await invoker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function layer(sha256: string, files: Record<string, string>): Promise<LayerState> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, sha256, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const name = { layerName: sha256, layerVersion: 1 };
    return { kind: 'package', sha256, sizeBytes: 1, objectKey: sha256, ...name } as LayerState;
  }

  it('shows layers at /opt, the later over the earlier', async () => {
    const layers = [
      await layer('l1', { 'node_modules/one/index.js': 'module.exports = "one"', both: '1' }),
      await layer('l2', { 'node_modules/two/index.js': 'module.exports = "two"', both: '2' }),
    ];
    const code =
      'exports.main_handler = async () => [require("one"), require("two"), require("fs").readFileSync("/opt/both", "utf8")]';
    const state = await invoker.deploy('layered', { 'index.js': code }, { layers });
    expect((await invoker.invoke(state, {})).body.toString()).toBe('["one","two","2"]');
  });

  it('shows a shared directory read-write, the same to all, and refuses one that this host does not have', async () => {
    const place = { cfsId: 'cfs-team', remoteDirectory: '/team', localDirectory: '/mnt/data/team' };
    const directory = { ...place, uid: 10_000, gid: 10_000 };
    const write =
      'const fs = require("fs"); exports.main_handler = async (e) => { fs.writeFileSync(`/mnt/data/team/${e}`, e); return fs.readdirSync("/mnt/data/team") }';
    const writer = await invoker.deploy('writer', { 'index.js': write }, { sharedDirectories: [directory] });
    expect((await invoker.invoke(writer, 'a')).body.toString()).toBe('["a"]');
    expect(await readFile(join(folder, 'share/team/a'), 'utf8')).toBe('a');
    const read = 'def main_handler(e, c):\n    return open("/mnt/data/team/" + e).read()';
    const change = { runtime: 'Python3.11', sharedDirectories: [directory] };
    const reader = await invoker.deploy('reader', { 'index.py': read }, change);
    expect((await invoker.invoke(reader, 'a')).body.toString()).toBe('"a"');
    const lost = await invoker.deploy(
      'lost',
      { 'index.js': write },
      {
        sharedDirectories: [{ ...directory, cfsId: 'cfs-gone' }],
      },
    );
    expect((await invoker.invoke(lost, 'a')).outcome).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/\/team of cfs-gone cannot be mounted: this host has no such/) as string,
    });
  });

  const pythonFiles = {
    'lib.py': Array.from({ length: 3000 }, (_, n) => `def f${n}(a):\n    return [x * ${n} for x in a]`).join(
      '\n',
    ),
    'index.py': 'import lib\ndef main_handler(e, c):\n    return lib.f7([6])',
  };
  const module = `exports.answer = () => 42;\n${Array.from({ length: 3000 }, (_, n) => `exports.f${n} = (a) => a.map((x) => x * ${n} + "${'y'.repeat(20)}");`).join('\n')}`;
  it.each([
    [
      'Nodejs20.19',
      {
        'lib.js': module,
        'index.js':
          'const lib = require("./lib"); exports.main_handler = async () => [lib.answer(), (await import("path")).sep, __filename, new Error("x").stack.split("\\n")[1].trim()]',
      },
      '[42,"/","/var/user/index.js","at exports.main_handler (/var/user/index.js:1:',
    ],
    [
      'Nodejs18.15',
      { 'lib.js': module, 'index.js': 'exports.main_handler = async () => require("./lib").answer()' },
      '42',
    ],
    [
      'Nodejs22',
      { 'lib.js': module, 'index.js': 'exports.main_handler = async () => require("./lib").answer()' },
      '42',
    ],
    ['Python2.7', pythonFiles, '[42]'],
    ['Python3.11', pythonFiles, '[42]'],
  ])(
    'keeps what %s has compiled for the next cold start of the same code',
    async (runtime, files, answer) => {
      const acquire = vi.spyOn(compileCache, 'acquire');
      const state = await invoker.deploy(`compiled-${runtime.replace('.', '-')}`, files, {
        runtime,
        instanceConcurrency: 1,
      });
      const first = await invoker.invoke(state, {});
      expect(first.body.toString()).toContain(answer);
      await vi.waitFor(
        async () => {
          // A new revision with the same code: a cold start.
          const again = { ...state, revision: state.revision + 100_000 + acquire.mock.calls.length };
          invoker.bus.functions.set(`default/${state.functionName}/$LATEST`, again);
          const { outcome, body } = await invoker.invoke(again, {});
          expect(body.toString()).toContain(answer);
          expect(outcome).toHaveProperty('coldStart');
          expect(acquire.mock.results.at(-1)?.value).toBeDefined();
        },
        { timeout: 15_000, interval: 2_000 },
      );
    },
  );
});
