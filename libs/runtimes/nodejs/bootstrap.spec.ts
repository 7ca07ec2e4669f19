import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BootstrapProcess, interpreters } from '../bootstrap-process.fake.js';

const bootstrap = fileURLToPath(new URL('./bootstrap.cjs', import.meta.url));

/** Node.js 12.16 has ES modules behind a flag only. */
const hasModules = (node: string) => !node.includes('/node12/');

describe.each(interpreters('node', [process.execPath, '/usr/bin/node']))(
  'Node.js bootstrap on %s',
  (node) => {
    let running: BootstrapProcess | undefined;

    afterEach(async () => {
      await running?.stop();
      running = undefined;
    });

    async function start(files: Record<string, string> | string): Promise<BootstrapProcess> {
      running = await BootstrapProcess.start(
        [node, bootstrap],
        typeof files === 'string' ? { 'index.js': files } : files,
      );
      return running;
    }

    async function ready(
      files: Record<string, string> | string,
      handler = 'index.main_handler',
    ): Promise<BootstrapProcess> {
      const process = await start(files);
      expect((await process.init(handler)).kind).toBe('ready');
      return process;
    }

    it.each([
      ['an async function', 'exports.main_handler = async (event) => ({ got: event })'],
      ['a returned promise', 'exports.main_handler = (event) => Promise.resolve({ got: event })'],
      ['a plain return value', 'exports.main_handler = (event, context) => ({ got: event })'],
      ['the callback', 'exports.main_handler = (event, context, callback) => callback(null, { got: event })'],
      [
        'a late callback',
        'exports.main_handler = (e, c, callback) => { setTimeout(() => callback(null, { got: e }), 5) }',
      ],
    ])('answers with the result of %s', async (_name, code) => {
      const process = await ready(code);
      expect(await process.invoke({ k: 'ü' })).toMatchObject({
        kind: 'result',
        streamId: 1,
        body: '{"got":{"k":"ü"}}',
      });
      expect(await process.invoke([1])).toMatchObject({ kind: 'result', streamId: 2, body: '{"got":[1]}' });
    });

    it.each([
      ['undefined', 'null'],
      ['null', 'null'],
      ['"hello"', '"hello"'],
      ['new Date(0)', '"1970-01-01T00:00:00.000Z"'],
    ])('encodes %s as JSON once', async (value, body) => {
      const process = await ready(`exports.main_handler = async () => (${value})`);
      expect(await process.invoke({})).toMatchObject({ kind: 'result', body });
    });

    it('gives the context of SCF', async () => {
      const process = await ready('exports.main_handler = async (event, context) => context');
      const { body } = await process.invoke({}, { request_id: 'r-1', traceparent: '00-a-b-01' });
      expect(JSON.parse(body)).toEqual({
        callbackWaitsForEmptyEventLoop: true,
        function_name: 'hello',
        namespace: 'default',
        memory_limit_in_mb: 128,
        time_limit_in_ms: 3000,
        request_id: 'r-1',
        traceparent: '00-a-b-01',
      });
    });

    const modules: [string, Record<string, string>, string][] = [
      ['a module in a folder', { 'src/main.mjs': 'export const go = async () => 1' }, 'src/main.go'],
      [
        'a package of modules',
        { 'package.json': '{"type":"module"}', 'index.js': 'export const go = async () => 1' },
        'index.go',
      ],
      ['a default export', { 'index.mjs': 'export default { go: async () => 1 }' }, 'index.go'],
    ];
    const scripts: [string, Record<string, string>, string][] = [
      ['a CommonJS file', { 'a/b/c.cjs': 'exports.go = async () => 1' }, 'a/b/c.go'],
      ['a folder with an index', { 'a/index.js': 'exports.go = async () => 1' }, './a.go'],
    ];

    it.each(hasModules(node) ? [...modules, ...scripts] : scripts)(
      'loads %s',
      async (_name, files, handler) => {
        const process = await ready(files, handler);
        expect(await process.invoke({})).toMatchObject({ kind: 'result', body: '1' });
      },
    );

    it('takes code that was mounted after its start, and the variables of the function', async () => {
      const process = await start({});
      await process.attach({
        'index.js':
          'const loaded = process.env.MINE; exports.main_handler = async () => [loaded, process.cwd(), new Date(0).getHours(), require("fs").readdirSync(".")]',
      });
      const environment = { MINE: 'ü=1', TZ: 'Asia/Shanghai' };
      expect((await process.init('index.main_handler', environment)).kind).toBe('ready');
      const [mine, folder, hour, files] = JSON.parse((await process.invoke({})).body) as unknown[];
      expect([mine, folder, files]).toEqual(['ü=1', process.codeRoot, ['index.js']]);
      // Node.js 12 keeps the time zone that it was started with.
      expect([0, 8]).toContain(hour);
    });

    it('finds modules in a NODE_PATH of the function', async () => {
      const process = await start({});
      await process.attach({
        'index.js': 'exports.main_handler = async () => require("apart")',
        'more/apart.js': 'module.exports = 1',
      });
      await process.init('index.main_handler', { NODE_PATH: `${process.codeRoot}/more` });
      expect((await process.invoke({})).body).toBe('1');
    });

    it('keeps globals between invocations', async () => {
      const process = await ready('let n = 0; exports.main_handler = async () => ++n');
      await process.invoke({});
      expect((await process.invoke({})).body).toBe('2');
    });

    it.each([
      ['throws', 'exports.main_handler = (event) => {\n  throw new TypeError("broken") }'],
      ['rejects', 'exports.main_handler = async (event) => {\n  throw new TypeError("broken") }'],
      [
        'calls back with an error',
        'exports.main_handler = (e, c, callback) => {\n  callback(new TypeError("broken")) }',
      ],
    ])('names the place in the user code when it %s, and goes on', async (_name, code) => {
      const process = await ready(code);
      const { kind, head } = await process.invoke({});
      expect(kind).toBe('error');
      expect(head).toMatchObject({ reason: 'exception', message: 'broken', recycle: false });
      expect(head['stackTrace']).toMatch(/^TypeError: broken\n\s+at .*index\.js:2:/);
      expect(head['stackTrace']).not.toMatch(/bootstrap|internal/);
      expect((await process.invoke({})).kind).toBe('error');
    });

    it.each([
      ['a string', '"just text"', 'just text'],
      ['nothing', 'undefined', 'undefined'],
      ['an object', '{ code: 7 }', '{ code: 7 }'],
    ])('shows %s that was thrown', async (_name, thrown, text) => {
      const process = await ready(`exports.main_handler = async () => { throw ${thrown} }`);
      expect((await process.invoke({})).head).toMatchObject({
        reason: 'exception',
        message: text,
        stackTrace: text,
      });
    });

    it.each([
      ['an uncaught error', 'setImmediate(() => { throw new Error("out of reach") })'],
      ['an unhandled rejection', 'Promise.reject(new Error("out of reach"))'],
    ])('makes %s the error of the invocation and asks for a new process', async (_name, code) => {
      const process = await ready(`exports.main_handler = (e, c, callback) => { ${code} }`);
      const { head } = await process.invoke({});
      expect(head).toMatchObject({ reason: 'exception', message: 'out of reach', recycle: true });
    });

    it.each([
      ['a BigInt', '10n', /BigInt/],
      ['a circle', '(() => { const a = {}; a.a = a; return a })()', /circular/i],
      ['a function', '() => 1', /it is a function/],
    ])('says that %s cannot be encoded as JSON', async (_name, value, why) => {
      const process = await ready(`exports.main_handler = async () => (${value})`);
      const { head } = await process.invoke({});
      expect(head).toMatchObject({ reason: 'result-not-json' });
      expect(head['message']).toMatch(/^the return value of the handler cannot be encoded as JSON: /);
      expect(head['message']).toMatch(why);
    });

    it('takes and gives back 6 MB, and no more', async () => {
      const process = await ready('exports.main_handler = async (event) => event.text + event.more');
      const text = 'x'.repeat(6 * 1024 * 1024 - 2);
      expect((await process.invoke({ text, more: '' })).body).toHaveLength(6 * 1024 * 1024);
      expect((await process.invoke({ text, more: '!' })).head).toMatchObject({ reason: 'result-too-large' });
      expect((await process.invoke({ text: 'still ', more: 'here' })).body).toBe('"still here"');
    });

    it('counts the first of several answers', async () => {
      const process = await ready(
        'exports.main_handler = (event, c, cb) => { cb(null, event); cb(null, "twice"); return "thrice" }',
      );
      expect((await process.invoke(1)).body).toBe('1');
      expect((await process.invoke(2)).body).toBe('2');
    });

    it('says that an event is not JSON', async () => {
      const process = await ready('exports.main_handler = async () => 1');
      expect((await process.invoke('{')).head).toMatchObject({ reason: 'event-not-json' });
    });

    it.each([
      [
        'a missing file',
        {},
        'index.main_handler',
        'the file of the handler "index.main_handler" does not exist: index.js',
      ],
      [
        'a missing method',
        { 'index.js': 'exports.other = 1' },
        'index.main_handler',
        /"main_handler" .* is not exported by index\.js/,
      ],
      [
        'a method that is no function',
        { 'index.js': 'exports.x = 1' },
        'index.x',
        /"x" .* is not a function in index\.js/,
      ],
      ['a handler without a dot', {}, 'main', 'the handler is "main"; accepted is file.method'],
    ])('reports %s', async (_name, files, handler, message) => {
      const process = await start({ 'package.json': '{}', ...files });
      const { kind, head } = await process.init(handler);
      expect(kind).toBe('initFailed');
      expect(head).toMatchObject({ reason: 'handler-not-found' });
      expect(head['message']).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    });

    it.each([
      ['a missing module', 'require("left-pad")', /Cannot find module 'left-pad'/, /index\.js/],
      ['a syntax error', 'exports.main_handler =\n  async ( => 1', /Unexpected token/, /index\.js:2/],
      ['an error while loading', '\n\nthrow new Error("no config")', /^no config$/, /index\.js:3:/],
    ])('reports %s', async (_name, code, message, place) => {
      const process = await start(code);
      const { kind, head } = await process.init('index.main_handler');
      expect(kind).toBe('initFailed');
      expect(head).toMatchObject({ reason: 'load-failed' });
      expect(head['message']).toMatch(message);
      expect(head['stackTrace']).toMatch(place);
      expect(head['stackTrace']).not.toMatch(/bootstrap/);
    });

    it('begins each console line with the time and the request id', async () => {
      const process = await ready(
        'console.log("loading"); exports.main_handler = async (e) => { console.log("a %s", "b", { c: 1 }); console.error("bad"); process.stdout.write("raw\\n") }',
      );
      await process.invoke({});
      await vi.waitFor(() => expect(process.output).toMatch(/raw/));
      const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
      expect(process.output).toMatch(
        new RegExp(`^${time} loading\\n${time} request-1 a b \\{ c: 1 \\}\\n${time} request-1 bad\\nraw\\n$`),
      );
    });

    it('leaves with the code that the user asked for', async () => {
      const process = await ready('exports.main_handler = () => { process.exit(7) }');
      await expect(process.invoke({})).rejects.toThrow('exited with 7');
    });

    it('ends when the invoker is gone', async () => {
      const process = await ready('exports.main_handler = () => 1');
      process.hangUp();
      expect(await process.exited()).toBe(0);
    });

    it('parses and runs on the version of the path', () => {
      expect(execFileSync(node, ['--version']).toString()).toMatch(/^v(1[2-9]|2\d)\./);
    });
  },
);
