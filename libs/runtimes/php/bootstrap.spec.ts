import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BootstrapProcess, interpreters } from '../bootstrap-process.fake.js';

const bootstrap = fileURLToPath(new URL('./bootstrap.php', import.meta.url));
/** The prepared php.ini names the extensions by their place in an instance. */
const WITHOUT_INI = ['-n', '-d', 'display_errors=stderr', '-d', 'memory_limit=64M'];

/** PHP 7 has JSON as an extension. */
function withJson(php: string): string[] {
  const extensions = join(dirname(dirname(realpathSync(php))), 'ext');
  const needed = existsSync(join(extensions, 'json.so'));
  return needed ? ['-d', `extension_dir=${extensions}`, '-d', 'extension=json'] : [];
}

it('knows the kinds of frames', async () => {
  const kinds = 'HELLO = 1, INIT = 2, READY = 3, INIT_FAILED = 4, INVOKE = 5, RESULT = 6, ERROR = 7';
  expect(await readFile(bootstrap, 'utf8')).toContain(kinds);
});

describe.each(interpreters('php', ['/usr/bin/php']))('PHP bootstrap on %s', (php) => {
  let running: BootstrapProcess | undefined;

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function start(files: Record<string, string> | string): Promise<BootstrapProcess> {
    const code = typeof files === 'string' ? { 'index.php': `<?php\n${files}` } : files;
    running = await BootstrapProcess.start([php, ...WITHOUT_INI, ...withJson(php), bootstrap], code);
    return running;
  }

  async function ready(
    files: Record<string, string> | string,
    handler = 'index.main_handler',
  ): Promise<BootstrapProcess> {
    const process = await start(files);
    expect(await process.init(handler)).toMatchObject({ kind: 'ready' });
    return process;
  }

  it('answers with the return value as JSON', async () => {
    const process = await ready('function main_handler($event, $context) { return ["got" => $event]; }');
    expect(await process.invoke({ k: 'ü', o: {}, l: [] })).toMatchObject({
      kind: 'result',
      streamId: 1,
      body: '{"got":{"k":"ü","o":{},"l":[]}}',
    });
    expect(await process.invoke([1])).toMatchObject({ kind: 'result', streamId: 2, body: '{"got":[1]}' });
  });

  it.each([
    ['null', 'null'],
    ['"hello"', '"hello"'],
    ['1.0', '1.0'],
    ['[]', '[]'],
  ])('encodes %s as JSON once', async (value, body) => {
    const process = await ready(`function main_handler($event, $context) { return ${value}; }`);
    expect(await process.invoke({})).toMatchObject({ kind: 'result', body });
  });

  it("reads the event as SCF's objects and as arrays", async () => {
    const process = await ready(
      `function main_handler($event, $context) {
        return [$event->headers->host, $event['headers']['host'], isset($event['none']), isset($event->none), $event->none ?? 1,
          count($event), $event['list'][1]['x'], json_decode(json_encode($event), true)['path'], array_keys((array) $event),
          $event instanceof stdClass];
      }`,
    );
    const { body } = await process.invoke({ headers: { host: 'h' }, path: '/', list: [0, { x: 2 }] });
    expect(JSON.parse(body)).toEqual([
      ...['h', 'h', false, false, 1, 3, 2, '/'],
      ['headers', 'path', 'list'],
      true,
    ]);
  });

  it('gives the context of SCF', async () => {
    const process = await ready(
      'function main_handler($event, $context) { return [$context->request_id, $context["namespace"], $context]; }',
    );
    const { body } = await process.invoke({}, { request_id: 'r-1' });
    expect(JSON.parse(body)).toMatchObject(['r-1', 'default', { time_limit_in_ms: 3000, request_id: 'r-1' }]);
  });

  it.each([
    ['a handler in a folder', { 'src/main.php': '<?php function go($e, $c) { return 5; }' }, 'src/main.go'],
    [
      'a method of a class',
      { 'index.php': '<?php class A { static function go($e, $c) { return 5; } }' },
      'index.A::go',
    ],
    [
      'what the file sets, as globals',
      { 'index.php': '<?php $five = 5; function go() { global $five; return $five; }' },
      'index.go',
    ],
  ])('loads %s', async (_name, files, handler) => {
    const process = await ready(files, handler);
    expect((await process.invoke({})).body).toBe('5');
  });

  it('takes code that was mounted after its start, and the variables of the function', async () => {
    const process = await start({});
    await process.attach({
      'index.php':
        '<?php $loaded = getenv("MINE"); require "beside.php"; function main_handler() { global $loaded; return [$loaded, getcwd(), X, $_ENV["MINE"]]; }',
      'beside.php': '<?php const X = 1;',
    });
    expect(await process.init('index.main_handler', { MINE: 'ü=1' })).toMatchObject({ kind: 'ready' });
    expect(JSON.parse((await process.invoke({})).body)).toEqual(['ü=1', process.codeRoot, 1, 'ü=1']);
  });

  it('keeps globals between invocations', async () => {
    const process = await ready('$n = 0; function main_handler() { global $n; return ++$n; }');
    await process.invoke({});
    expect((await process.invoke({})).body).toBe('2');
  });

  it('shows the trace of the user code only, and goes on', async () => {
    const process = await ready(
      'function inner() {\n throw new DomainException("broken", 1, new Exception("deep")); }\nfunction main_handler() {\n inner(); }',
    );
    const { kind, head } = await process.invoke({});
    expect(kind).toBe('error');
    expect(head).toMatchObject({ reason: 'exception', message: 'DomainException: broken' });
    expect(head['stackTrace']).toMatch(
      /^DomainException: broken\n {4}at .*index\.php:3\n {4}at .*index\.php:5 in inner\ncaused by Exception: deep\n/,
    );
    expect(head['stackTrace']).not.toMatch(/bootstrap/);
    expect((await process.invoke({})).kind).toBe('error');
  });

  it('makes a fatal error the error of the invocation and asks for a new process', async () => {
    const process = await ready('function main_handler() { $a = str_repeat("x", 1 << 30); }');
    const { kind, head } = await process.invoke({});
    expect(kind).toBe('error');
    expect(head).toMatchObject({ reason: 'exception', recycle: true });
    expect(head['message']).toMatch(/Allowed memory size .* exhausted/);
    expect(head['stackTrace']).toMatch(/index\.php:2$/);
  });

  it.each([
    ['not a number', 'NAN', /Inf and NaN/],
    ['broken UTF-8', '"\\xff"', /Malformed UTF-8/],
    ['a circle', '(function () { $a = new stdClass(); $a->a = $a; return $a; })()', /Recursion/],
  ])('says that %s cannot be encoded as JSON', async (_name, value, why) => {
    const process = await ready(`function main_handler() { return ${value}; }`);
    const { head } = await process.invoke({});
    expect(head).toMatchObject({ reason: 'result-not-json' });
    expect(head['message']).toMatch(/^the return value of the handler cannot be encoded as JSON: /);
    expect(head['message']).toMatch(why);
  });

  it('takes and gives back 6 MB, and no more', async () => {
    const process = await ready('function main_handler($event) { return $event->text . $event->more; }');
    const text = 'x'.repeat(6 * 1024 * 1024 - 2);
    expect((await process.invoke({ text, more: '' })).body).toHaveLength(6 * 1024 * 1024);
    expect((await process.invoke({ text, more: '!' })).head).toMatchObject({ reason: 'result-too-large' });
    expect((await process.invoke({ text: 'still ', more: 'here' })).body).toBe('"still here"');
  });

  it('says that an event is not JSON', async () => {
    const process = await ready('function main_handler() { return 1; }');
    expect((await process.invoke('{')).head).toMatchObject({ reason: 'event-not-json' });
  });

  it.each([
    [
      'a missing file',
      {},
      'index.main_handler',
      'the file of the handler "index.main_handler" does not exist: index.php',
    ],
    [
      'a missing function',
      { 'index.php': '<?php $x = 1;' },
      'index.main_handler',
      'the function "main_handler" of the handler "index.main_handler" is not defined in index.php',
    ],
    ['a handler without a dot', {}, 'main', 'the handler is "main"; accepted is file.function'],
  ])('reports %s', async (_name, files, handler, message) => {
    const process = await start({ 'empty.txt': '', ...files });
    expect(await process.init(handler)).toMatchObject({
      kind: 'initFailed',
      head: { reason: 'handler-not-found', message, stackTrace: '' },
    });
  });

  it.each([
    ['a missing file', 'require "left-pad.php";', /left-pad\.php/, /index\.php:2/],
    ['a syntax error', '\nfunction main_handler( {', /syntax error/, /index\.php:3/],
    [
      'an exception while loading',
      '\n\nthrow new Exception("no config");',
      /^Exception: no config$/,
      /index\.php:4/,
    ],
    [
      'what does not compile',
      'function a() {}\nfunction a() {}',
      /Cannot redeclare (function )?a\(\)/,
      /index\.php:3/,
    ],
  ])('reports %s', async (_name, code, message, place) => {
    const process = await start(code);
    const { kind, head } = await process.init('index.main_handler');
    expect(kind).toBe('initFailed');
    expect(head).toMatchObject({ reason: 'load-failed' });
    expect(head['message']).toMatch(message);
    expect(head['stackTrace']).toMatch(place);
    expect(head['stackTrace']).not.toMatch(/bootstrap/);
  });

  it('lets out what was printed before the result, what was buffered included', async () => {
    const process = await ready(
      'function main_handler() { echo "ü"; ob_start(); echo "buffered\\n"; fwrite(STDERR, "bad\\n"); trigger_error("warned", E_USER_WARNING); return 1; }',
    );
    await process.invoke({});
    await vi.waitFor(() => expect(process.output).toMatch(/bad\n/));
    expect(process.output).toMatch(/^ü/);
    expect(process.output).toMatch(/buffered\n/);
    expect(process.output).toMatch(/Warning: warned/);
  });

  it.each([
    ['exit(7)', 7],
    ['exit()', 0],
    ['die("for a reason")', 0],
  ])('leaves the process on %s', async (code, exitCode) => {
    const process = await ready(`function main_handler() { ${code}; }`);
    await expect(process.invoke({})).rejects.toThrow(`exited with ${exitCode}`);
  });

  it('ends when the invoker is gone', async () => {
    const process = await ready('function main_handler() { return 1; }');
    process.hangUp();
    expect(await process.exited()).toBe(0);
  });
});
