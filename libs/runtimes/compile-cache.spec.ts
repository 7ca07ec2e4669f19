import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BootstrapProcess, interpreters } from './bootstrap-process.fake.js';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Interpreter, bootstrap, and a program of two files. */
type Language = readonly [string, string, (word: string) => Record<string, string>];

const nodeFiles = (word: string) => ({
  'index.js': 'const { word } = require("./lib"); exports.main_handler = async () => word();',
  'lib.js': `exports.word = () => "${word}"; // ${'.'.repeat(5000)}`,
});
const pythonFiles = (word: string) => ({
  'index.py': 'def main_handler(event, context):\n    import parts.lib\n    return parts.lib.word()',
  'parts/__init__.py': '',
  'parts/lib.py': `from . import other\ndef word():\n    return "${word}" + other.end`,
  'parts/other.py': 'end = ""',
});
const nodes = interpreters('node', []).map((node): Language => [node, 'nodejs/bootstrap.cjs', nodeFiles]);
const pythons = interpreters('python', []).map((python): Language => {
  const name = python.includes('/python2/') ? 'bootstrap2.py' : 'start.py';
  return [python, `python/${name}`, pythonFiles];
});
/** From version 22 Node.js looks itself whether its cache is of these very sources. */
const looksAtSources = (program: string) => /node2[24]/.test(program);

describe.each([...nodes, ...pythons])('compile cache of %s', (program, bootstrap, files) => {
  const running: BootstrapProcess[] = [];
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-compiled-'));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((process) => process.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  async function start(code: Record<string, string>): Promise<BootstrapProcess> {
    const process = await BootstrapProcess.start([program, path(bootstrap)], code);
    running.push(process);
    return process;
  }

  it('is sent behind the first answer, and taken for the sources that it was made of', async () => {
    const first = await start(files('old'));
    const later = await start(files('new'));
    expect((await first.init('index.main_handler', {}, {})).kind).toBe('ready');
    expect(first.compiled.size).toBe(0);
    expect((await first.invoke({})).body).toBe('"old"');
    await first.keepCompiled(folder, later.codeRoot);
    expect((await first.invoke({})).body).toBe('"old"');
    expect((await later.init('index.main_handler', {}, { read: folder })).kind).toBe('ready');
    expect((await later.invoke({})).body).toBe(looksAtSources(program) ? '"new"' : '"old"');
  });

  it('does without where there is none of a file', async () => {
    const process = await start(files('own'));
    expect((await process.init('index.main_handler', {}, { read: folder })).kind).toBe('ready');
    expect((await process.invoke({})).body).toBe('"own"');
  });

  it('leaves no trace of itself in an error', async () => {
    const fails: Record<string, string> = bootstrap.startsWith('node')
      ? { 'index.js': 'require("./lib")', 'lib.js': `throw new Error("no config"); // ${'.'.repeat(5000)}` }
      : { 'index.py': 'import lib', 'lib.py': 'raise ValueError("no config")' };
    const process = await start(fails);
    const { kind, head } = await process.init('index.main_handler', {}, {});
    expect(kind).toBe('initFailed');
    expect(head['message']).toMatch(/no config/);
    expect(head['stackTrace']).toMatch(/lib\.(js|py)/);
    expect(head['stackTrace']).not.toMatch(/bootstrap|compile-cache/);
  });
});

describe.each(nodes.filter(([node]) => !node.includes('/node12/')))(
  'compiled code on %s',
  (node, bootstrap) => {
    it('may import modules, whether it was compiled before or not', async () => {
      const code = {
        'index.js': `exports.main_handler = async () => (await import("./own.mjs")).word; // ${'.'.repeat(5000)}`,
        'own.mjs': 'export const word = "imported";',
      };
      const folder = await mkdtemp(join(tmpdir(), 'openscf-compiled-'));
      const [first, later] = await Promise.all(
        [code, code].map((files) => BootstrapProcess.start([node, path(bootstrap)], files)),
      );
      try {
        if (first === undefined || later === undefined) throw new Error('not started');
        for (const [process, cache] of [
          [first, {}],
          [later, { read: folder }],
        ] as const) {
          expect((await process.init('index.main_handler', {}, cache)).kind).toBe('ready');
          expect((await process.invoke({})).body).toBe('"imported"');
          if (process === first) await first.keepCompiled(folder, later.codeRoot);
        }
      } finally {
        await Promise.all([first?.stop(), later?.stop()]);
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);
