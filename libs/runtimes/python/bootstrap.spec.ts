import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BootstrapProcess, interpreters } from '../bootstrap-process.fake.js';

const bootstrap = fileURLToPath(new URL('./start.py', import.meta.url));
const pythons = interpreters('python', ['/usr/bin/python3']).filter((path) => !path.includes('/python2/'));

describe.each(pythons)('Python bootstrap on %s', (python) => {
  let running: BootstrapProcess | undefined;

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function start(files: Record<string, string> | string): Promise<BootstrapProcess> {
    const code = typeof files === 'string' ? { 'index.py': files } : files;
    running = await BootstrapProcess.start([python, bootstrap], code);
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
    const process = await ready('def main_handler(event, context):\n    return {"got": event}');
    expect(await process.invoke({ k: 'ü' })).toMatchObject({
      kind: 'result',
      streamId: 1,
      body: '{"got": {"k": "ü"}}',
    });
    expect(await process.invoke([1])).toMatchObject({ kind: 'result', streamId: 2, body: '{"got": [1]}' });
  });

  it.each([
    ['None', 'null'],
    ['"hello"', '"hello"'],
    ['"\\ud800"', '"\\ud800"'],
  ])('encodes %s as JSON once', async (value, body) => {
    const process = await ready(`def main_handler(event, context): return ${value}`);
    expect(await process.invoke({})).toMatchObject({ kind: 'result', body });
  });

  it('reads and writes JSON without the modules that a function may never need', async () => {
    const process = await ready(
      'import sys\ndef main_handler(event, context): return [event, [m for m in ("json", "re", "logging") if m in sys.modules]]',
    );
    const event = ' {"a": [1, -2.5e3, true, null, "\\ud83d\\ude00\\n"], "b": {}}\n';
    expect((await process.invoke(event)).body).toBe(
      '[{"a": [1, -2500.0, true, null, "😀\\n"], "b": {}}, []]',
    );
  });

  it('encodes as the user has told json to', async () => {
    const process = await ready(
      [
        'import json',
        'json.JSONEncoder.default = lambda self, value: sorted(value)',
        'def main_handler(event, context): return {2, 1}',
      ].join('\n'),
    );
    expect((await process.invoke({})).body).toBe('[1, 2]');
  });

  it('keeps the names of its own files free', async () => {
    const process = await ready({
      'index.py': 'import bootstrap, start\ndef main_handler(event, context): return [bootstrap.X, start.X]',
      'bootstrap.py': 'X = 1',
      'start.py': 'X = 2',
    });
    expect((await process.invoke({})).body).toBe('[1, 2]');
  });

  it('gives a context that can be copied and pickled', async () => {
    const process = await ready(
      'import copy, pickle\ndef main_handler(event, context):\n    return pickle.loads(pickle.dumps(copy.deepcopy(context))).request_id',
    );
    expect((await process.invoke({}, { request_id: 'r-1' })).body).toBe('"r-1"');
  });

  it('gives the context of SCF, as a dict that has attributes too', async () => {
    const process = await ready(
      'def main_handler(event, context):\n    return [context["request_id"], context.get("namespace"), context.function_name, dict(context)]',
    );
    const { body } = await process.invoke({}, { request_id: 'r-1' });
    expect(JSON.parse(body)).toMatchObject([
      'r-1',
      'default',
      'hello',
      { time_limit_in_ms: 3000, request_id: 'r-1' },
    ]);
  });

  it('loads a handler in a folder, and modules beside it', async () => {
    const files = {
      'src/main.py': 'import beside\ndef go(event, context): return beside.X',
      'src/beside.py': 'X = 5',
    };
    const process = await ready(files, 'src/main.go');
    expect((await process.invoke({})).body).toBe('5');
  });

  it('takes code that was mounted after its start, and the variables of the function', async () => {
    const process = await start({});
    await process.attach({
      'index.py': [
        'import os, time, beside',
        'loaded = os.environ["MINE"]',
        'def main_handler(event, context): return [loaded, os.getcwd(), time.localtime(0).tm_hour, beside.X]',
      ].join('\n'),
      'beside.py': 'X = 1',
    });
    const environment = { MINE: 'ü=1', TZ: 'Asia/Shanghai' };
    expect(await process.init('index.main_handler', environment)).toMatchObject({ kind: 'ready' });
    expect(JSON.parse((await process.invoke({})).body)).toEqual(['ü=1', process.codeRoot, 8, 1]);
  });

  it('keeps globals between invocations', async () => {
    const process = await ready('n = 0\ndef main_handler(e, c):\n    global n\n    n += 1\n    return n');
    await process.invoke({});
    expect((await process.invoke({})).body).toBe('2');
  });

  it('shows the trace of the user code only, and goes on', async () => {
    const process = await ready(
      'def inner():\n    raise ValueError("broken")\ndef main_handler(event, context):\n    inner()',
    );
    const { kind, head } = await process.invoke({});
    expect(kind).toBe('error');
    expect(head).toMatchObject({ reason: 'exception', message: 'ValueError: broken' });
    expect(head['stackTrace']).toMatch(
      /^Traceback \(most recent call last\):\n {2}File ".*index\.py", line 4, in main_handler/,
    );
    expect(head['stackTrace']).toMatch(/line 2, in inner\n/);
    expect(head['stackTrace']).not.toMatch(/bootstrap/);
    expect((await process.invoke({})).kind).toBe('error');
  });

  it.each([
    ['a set', '{1}', /set/],
    ['a circle', 'circle()', /Circular/],
    ['not a number', 'float("nan")', /Out of range/],
    ['bytes', 'b"x"', /bytes/],
  ])('says that %s cannot be encoded as JSON', async (_name, value, why) => {
    const circle = 'def circle():\n    a = []\n    a.append(a)\n    return a\n';
    const process = await ready(`${circle}def main_handler(event, context): return ${value}`);
    const { head } = await process.invoke({});
    expect(head).toMatchObject({ reason: 'result-not-json' });
    expect(head['message']).toMatch(/^the return value of the handler cannot be encoded as JSON: /);
    expect(head['message']).toMatch(why);
  });

  it('takes and gives back 6 MB, and no more', async () => {
    const process = await ready('def main_handler(event, context): return event["text"] + event["more"]');
    const text = 'x'.repeat(6 * 1024 * 1024 - 2);
    expect((await process.invoke({ text, more: '' })).body).toHaveLength(6 * 1024 * 1024);
    expect((await process.invoke({ text, more: '!' })).head).toMatchObject({ reason: 'result-too-large' });
    expect((await process.invoke({ text: 'still ', more: 'here' })).body).toBe('"still here"');
  });

  it.each([
    ['{', /line 1 column 2/],
    [' [1,\n x]', /line 2 column 2/],
    ['{} {}', /Extra data: line 1 column 4/],
    ['', /line 1 column 1/],
  ])('says why the event %j is not JSON', async (event, why) => {
    const process = await ready('def main_handler(event, context): return 1');
    const { head } = await process.invoke(event);
    expect(head).toMatchObject({ reason: 'event-not-json' });
    expect(head['message']).toMatch(why);
  });

  it.each([
    [
      'a missing file',
      {},
      'index.main_handler',
      'the file of the handler "index.main_handler" does not exist: index.py',
    ],
    [
      'a missing method',
      { 'index.py': 'x = 1' },
      'index.main_handler',
      /"main_handler" .* is not defined in index\.py/,
    ],
    [
      'a method that is no function',
      { 'index.py': 'x = 1' },
      'index.x',
      /"x" .* is not a function in index\.py/,
    ],
    ['a handler without a dot', {}, 'main', 'the handler is "main"; accepted is file.method'],
  ])('reports %s', async (_name, files, handler, message) => {
    const process = await start({ 'empty.txt': '', ...files });
    const { kind, head } = await process.init(handler);
    expect(kind).toBe('initFailed');
    expect(head).toMatchObject({ reason: 'handler-not-found' });
    expect(head['message']).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it.each([
    ['a missing module', 'import left_pad', /No module named 'left_pad'/, /index\.py", line 1/],
    ['a syntax error', 'x = 1\ndef main_handler(:\n', /SyntaxError/, /index\.py", line 2/],
    [
      'an error while loading',
      '\n\nraise KeyError("no config")',
      /^KeyError: 'no config'$/,
      /index\.py", line 3/,
    ],
  ])('reports %s', async (_name, code, message, place) => {
    const process = await start(code);
    const { kind, head } = await process.init('index.main_handler');
    expect(kind).toBe('initFailed');
    expect(head).toMatchObject({ reason: 'load-failed' });
    expect(head['message']).toMatch(message);
    expect(head['stackTrace']).toMatch(place);
    expect(head['stackTrace']).not.toMatch(/bootstrap|frozen/);
  });

  it('lets out what was printed at once, logging included', async () => {
    const process = await ready(
      [
        'import logging, time, sys',
        'logger = logging.getLogger()',
        'logger.setLevel(logging.INFO)',
        'def main_handler(event, context):',
        '    print("ü", end="")',
        '    logger.info("logged")',
        '    print("bad", file=sys.stderr)',
        '    while event.get("wait"): time.sleep(1)',
      ].join('\n'),
    );
    void process.invoke({ wait: true }).catch(() => undefined);
    await vi.waitFor(() => expect(process.output).toMatch(/bad\n/));
    expect(process.output).toMatch(/ü\[INFO\] logged\n/);
  });

  it.each([
    ['sys.exit(7)', 7],
    ['sys.exit()', 0],
    ['sys.exit("for a reason")', 1],
    ['__import__("os")._exit(9)', 9],
  ])('leaves the process on %s', async (code, exitCode) => {
    const process = await ready(`import sys\ndef main_handler(event, context): ${code}`);
    await expect(process.invoke({})).rejects.toThrow(`exited with ${exitCode}`);
  });

  it('ends when the invoker is gone', async () => {
    const process = await ready('def main_handler(event, context): return 1');
    process.hangUp();
    expect(await process.exited()).toBe(0);
  });
});
