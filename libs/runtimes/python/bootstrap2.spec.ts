import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BootstrapProcess, interpreters } from '../bootstrap-process.fake.js';

const bootstrap = fileURLToPath(new URL('./bootstrap2.py', import.meta.url));
const pythons = interpreters('python', []).filter((path) => path.includes('/python2/'));

it('knows the kinds of frames', async () => {
  const kinds = 'HELLO, INIT, READY, INIT_FAILED, INVOKE, RESULT, ERROR, COMPILED = 1, 2, 3, 4, 5, 6, 7, 14';
  expect(await readFile(bootstrap, 'utf8')).toContain(kinds);
});

describe.each(pythons)('Python 2 bootstrap on %s', (python) => {
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

  it('answers with the return value as JSON, and keeps globals', async () => {
    const process = await ready(
      'n = 0\ndef main_handler(event, context):\n    global n\n    n += 1\n    return {"got": event, "n": n, "id": context.request_id}',
    );
    const first = await process.invoke({ k: 'ü' });
    expect(JSON.parse(first.body)).toEqual({ got: { k: 'ü' }, n: 1, id: 'request-1' });
    expect(JSON.parse((await process.invoke([1])).body)).toMatchObject({ got: [1], n: 2 });
  });

  it('loads a handler in a folder, with modules beside it, after its start', async () => {
    const process = await start({});
    await process.attach({
      'src/main.py':
        'import beside, os\nloaded = os.environ["MINE"]\ndef go(event, context): return [beside.X, loaded, os.getcwd()]',
      'src/beside.py': 'X = 5',
    });
    expect(await process.init('src/main.go', { MINE: 'ü' })).toMatchObject({ kind: 'ready' });
    expect(JSON.parse((await process.invoke({})).body)).toEqual([5, 'ü', process.codeRoot]);
  });

  it('shows the trace of the user code only, and goes on', async () => {
    const process = await ready(
      'def inner():\n    raise ValueError("broken")\ndef main_handler(event, context):\n    inner()',
    );
    const { head } = await process.invoke({});
    expect(head).toMatchObject({ reason: 'exception', message: 'ValueError: broken' });
    expect(head['stackTrace']).toMatch(/line 4, in main_handler[^]*line 2, in inner\n/);
    expect(head['stackTrace']).not.toMatch(/bootstrap/);
    expect((await process.invoke({})).kind).toBe('error');
  });

  it.each([
    ['a set', 'set([1])', /set/],
    ['not a number', 'float("nan")', /Out of range/],
    ['broken UTF-8', '"\\xff"', /utf8/],
  ])('says that %s cannot be encoded as JSON', async (_name, value, why) => {
    const process = await ready(`def main_handler(event, context): return ${value}`);
    const { head } = await process.invoke({});
    expect(head).toMatchObject({ reason: 'result-not-json' });
    expect(head['message']).toMatch(why);
  });

  it('takes and gives back 6 MB, and no more', async () => {
    const process = await ready('def main_handler(event, context): return event["text"] + event["more"]');
    const text = 'x'.repeat(6 * 1024 * 1024 - 2);
    expect((await process.invoke({ text, more: '' })).body).toHaveLength(6 * 1024 * 1024);
    expect((await process.invoke({ text, more: '!' })).head).toMatchObject({ reason: 'result-too-large' });
    expect((await process.invoke('{')).head).toMatchObject({ reason: 'event-not-json' });
  });

  it.each([
    ['a missing file', {}, 'index.main_handler', /does not exist: index\.py/],
    ['a missing method', { 'index.py': 'x = 1' }, 'index.main_handler', /is not defined in index\.py/],
    ['a handler without a dot', {}, 'main', /accepted is file\.method/],
  ])('reports %s', async (_name, files, handler, message) => {
    const process = await start({ 'empty.txt': '', ...files });
    const { head } = await process.init(handler);
    expect(head).toMatchObject({ reason: 'handler-not-found' });
    expect(head['message']).toMatch(message);
  });

  it.each([
    ['a missing module', 'import left_pad', /No module named left_pad/, /index\.py", line 1/],
    ['a syntax error', 'x = 1\ndef main_handler(:\n', /SyntaxError/, /index\.py", line 2/],
  ])('reports %s', async (_name, code, message, place) => {
    const process = await start(code);
    const { head } = await process.init('index.main_handler');
    expect(head).toMatchObject({ reason: 'load-failed' });
    expect(head['message']).toMatch(message);
    expect(head['stackTrace']).toMatch(place);
  });

  it('lets out what was printed, and leaves the process with the code that was asked for', async () => {
    const process = await ready(
      'import sys\ndef main_handler(event, context):\n    print "hello",\n    sys.exit(7)',
    );
    await expect(process.invoke({})).rejects.toThrow('exited with 7');
    await vi.waitFor(() => expect(process.output).toBe('hello'));
  });
});
