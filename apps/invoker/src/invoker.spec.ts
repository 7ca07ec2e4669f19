import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProcessSandboxDriver } from './instance/process-sandbox.driver.fake.js';
import type { Runtime } from './instance/runtime-catalog.js';
import { InvokerFake } from './invoker.fake.js';
import type { InvokerSettings } from './invoker.types.js';

const bootstrap = fileURLToPath(new URL('../../../libs/runtimes/nodejs/bootstrap.cjs', import.meta.url));
const node: Runtime = {
  name: 'Nodejs20.19',
  language: 'nodejs',
  version: process.version,
  command: [process.execPath, bootstrap],
  env: {},
  mounts: [],
  rootfs: '/',
};

const ECHO = {
  'index.js': 'exports.main_handler = async (event, context) => ({ event, id: context.request_id })',
};

describe('invoker', () => {
  let driver: ProcessSandboxDriver;
  let invoker: InvokerFake;

  async function start(settings: Partial<InvokerSettings> = {}): Promise<void> {
    driver = new ProcessSandboxDriver();
    invoker = await InvokerFake.start(driver, [node], settings);
  }

  beforeEach(() => start());

  afterEach(async () => {
    await invoker.stop();
    expect(driver.living.size).toBe(0);
  });

  it('runs a function, cold and then warm on the same instance', async () => {
    const hello = await invoker.deploy('hello', ECHO);
    const cold = await invoker.invoke(hello, { k: 'v' });
    expect(cold.outcome).toMatchObject({ kind: 'succeeded', statusCode: 200, memoryBytes: 30_000_000 });
    expect(cold.outcome).toHaveProperty('coldStart.initFunctionMs');
    expect(JSON.parse(cold.body.toString())).toEqual({ event: { k: 'v' }, id: 'request-1' });
    const warm = await invoker.invoke(hello, [1]);
    expect(warm.outcome).not.toHaveProperty('coldStart');
    expect(warm.body.toString()).toBe('{"event":[1],"id":"request-2"}');
    expect(driver.created).toBe(1);
  });

  it('answers an async event when its record is stored, warm too', async () => {
    const hello = await invoker.deploy('hello', ECHO);
    for (const n of [1, 2]) {
      await invoker.invoke(hello, n, { invocationType: 'Event' });
      expect(invoker.bus.records.map(({ requestId }) => requestId)).toHaveLength(n);
    }
  });

  it('writes the log in the words of SCF, lines of each request apart, and the record', async () => {
    const code =
      'console.log("loading"); exports.main_handler = async (e) => { console.log("before", e.n); process.stdout.write("no line end") ; return "a" + e.n }';
    const state = await invoker.deploy('talk', { 'index.js': code });
    await invoker.invoke(state, { n: 1 });
    await invoker.invoke(state, { n: 2 });
    await vi.waitFor(() => expect(invoker.bus.records).toHaveLength(2));
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
    expect(invoker.linesOf('request-1')).toEqual([
      'START RequestId: request-1',
      expect.stringMatching(
        /^Init Report RequestId: request-1 Coldstart: \d+ms \(PullCode: \d+ms InitRuntime: \d+ms InitFunction: \d+ms\) Memory: 128MB MemUsage: 28\.61MB$/,
      ),
      expect.stringMatching(new RegExp(`^${time} loading$`)),
      expect.stringMatching(new RegExp(`^${time} request-1 before 1$`)),
      'no line end',
      'Response RequestId: request-1 RetMsg:"a1"',
      'END RequestId: request-1',
      expect.stringMatching(/^Report RequestId: request-1 Duration: \d+ms Memory: 128MB MemUsage: 28\.61MB$/),
      expect.stringMatching(
        /^Receipt RequestId: request-1 Queued: 0\.0ms Placed: \d+\.\dms Code: \d+\.\dms Sandbox: \d+\.\dms Runtime: \d+\.\dms Init: \d+\.\dms Run: \d+\.\dms Cold: first$/,
      ),
    ]);
    expect(invoker.linesOf('request-2')).toEqual([
      'START RequestId: request-2',
      expect.stringMatching(new RegExp(`^${time} request-2 before 2$`)),
      'no line end',
      'Response RequestId: request-2 RetMsg:"a2"',
      'END RequestId: request-2',
      expect.stringMatching(/^Report RequestId: request-2 /),
      expect.stringMatching(/^Receipt RequestId: request-2 .* Cold: no$/),
    ]);
    expect(invoker.bus.records[1]).toMatchObject({
      requestId: 'request-2',
      functionName: 'talk',
      statusCode: 200,
      result: '"a2"',
      invokerId: 'test',
      appId: '1250000000',
    });
  });

  it('gives the tail of the log with the answer when asked', async () => {
    const state = await invoker.deploy('tail', {
      'index.js':
        'exports.main_handler = async () => { for (let i = 0; i < 500; i++) process.stdout.write(`line ${i}\\n`) }',
    });
    const { outcome } = await invoker.invoke(state, {}, { logTail: true });
    const log = 'log' in outcome ? outcome.log : '';
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(4096);
    expect(log).toMatch(
      /^line \d+\n[\s\S]*line 499\nResponse [^\n]+\nEND [^\n]+\nReport [^\n]+\nReceipt [^\n]+$/,
    );
  });

  it.each([
    [
      'throws',
      'exports.main_handler = async () => { throw new Error("no") }',
      430,
      /^user code exception caught$/,
      /^Error: no\n\s+at .*index\.js:1:/,
    ],
    ['has no such method', 'exports.other = 1', 437, /^HandlerNotFound: the method "main_handler" /, /^$/],
    [
      'needs a missing module',
      'require("left-pad")',
      443,
      /^UserCodeError: Cannot find module 'left-pad'/,
      /index\.js/,
    ],
    ['does not parse', 'exports.x = (', 443, /^UserCodeError: /, /index\.js:1/],
    [
      'returns what is not JSON',
      'exports.main_handler = async () => 1n',
      430,
      /^the return value of the handler cannot be encoded as JSON/,
      /^$/,
    ],
    [
      'answers too much',
      'exports.main_handler = async () => "x".repeat(6300000)',
      407,
      /larger than 6 MB/,
      /^$/,
    ],
    [
      'exits',
      'exports.main_handler = () => { console.log("bye"); process.exit(3) }',
      439,
      /^User process exit when running: exit code 3$/,
      /^$/,
    ],
    [
      'exits while loading',
      'process.exit(3)',
      439,
      /^User process exit when initializing: exit code 3$/,
      /^$/,
    ],
    [
      'is killed',
      'exports.main_handler = () => process.kill(process.pid, "SIGKILL")',
      439,
      /^User process exit when running: SIGKILL$/,
      /^$/,
    ],
    [
      'takes too long',
      'exports.main_handler = () => new Promise(() => {})',
      433,
      /^Invoking task timed out after 0\.3 seconds$/,
      /^$/,
    ],
    [
      'spins',
      'exports.main_handler = () => { for (;;); }',
      433,
      /^Invoking task timed out after 0\.3 seconds$/,
      /^$/,
    ],
    [
      'loads too long',
      'for (;;);',
      450,
      /^InitContainerTimeout: the initialization did not end within 0\.7 seconds$/,
      /^$/,
    ],
    [
      'fills the heap',
      'exports.main_handler = () => { console.log("FATAL ERROR: JavaScript heap out of memory"); process.abort() }',
      434,
      /^MemoryLimitReached: /,
      /^$/,
    ],
  ])(
    'says so, in the answer and in the log, when a function %s, and goes on',
    async (_name, code, status, message, trace) => {
      const state = await invoker.deploy(
        'faulty',
        { 'index.js': code },
        { timeoutMs: 300, initTimeoutMs: 700 },
      );
      const { outcome, body } = await invoker.invoke(state, {});
      expect(outcome).toMatchObject({ kind: 'failed', statusCode: status });
      const error = JSON.parse(body.toString()) as Record<string, unknown>;
      expect(error).toMatchObject({ errorCode: -1, requestId: 'request-1', statusCode: status });
      expect(error['errorMessage']).toMatch(message);
      expect(error['stackTrace']).toMatch(trace);
      await vi.waitFor(() =>
        expect(invoker.bus.records).toMatchObject([{ requestId: 'request-1', statusCode: status }]),
      );
      expect(invoker.linesOf('request-1')).toContain(`ERROR RequestId: request-1 Result:${body.toString()}`);
      const fixed = await invoker.deploy('faulty', ECHO);
      expect((await invoker.invoke(fixed, 5)).outcome.kind).toBe('succeeded');
    },
  );

  it('ends the instance whose state is not trusted, and starts another for the next call', async () => {
    const code =
      'exports.main_handler = (e, c, cb) => { if (e) setImmediate(() => { throw new Error("stray") }); else cb(null, 1) }';
    const state = await invoker.deploy('stray', { 'index.js': code });
    expect((await invoker.invoke(state, 1)).outcome).toMatchObject({ kind: 'failed', statusCode: 430 });
    expect((await invoker.invoke(state, 0)).outcome).toHaveProperty('coldStart');
    expect(driver.created).toBe(2);
  });

  it('takes new code for new calls, and ends the old instance', async () => {
    const v1 = await invoker.deploy('change', { 'index.js': 'exports.main_handler = async () => 1' });
    expect((await invoker.invoke(v1, {})).body.toString()).toBe('1');
    const v2 = await invoker.deploy('change', { 'index.js': 'exports.main_handler = async () => 2' });
    expect((await invoker.invoke(v2, {})).body.toString()).toBe('2');
    // A caller that is behind gets the newest.
    expect((await invoker.invoke(v1, {})).body.toString()).toBe('2');
    await vi.waitFor(() => expect(driver.living.size).toBe(1));
  });

  it('waits for a revision that it has not seen yet', async () => {
    const v1 = await invoker.deploy('ahead', { 'index.js': 'exports.main_handler = async () => 1' });
    const answer = invoker.invoke({ ...v1, revision: v1.revision + 1 }, {});
    await invoker.deploy('ahead', { 'index.js': 'exports.main_handler = async () => 2' });
    expect((await answer).body.toString()).toBe('2');
  });

  it('throttles at once beyond its grant, and lets it be used in full again', async () => {
    invoker.grant(256);
    const state = await invoker.deploy('slow', {
      'index.js': 'exports.main_handler = (ms) => new Promise((resolve) => setTimeout(resolve, ms))',
    });
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => invoker.invoke(state, 300)));
    const kinds = [a, b, c].map((answer) => answer?.outcome.kind).sort();
    expect(kinds).toEqual(['succeeded', 'succeeded', 'throttled']);
    const again = await Promise.all([invoker.invoke(state, 0), invoker.invoke(state, 0)]);
    expect(again.map(({ outcome }) => outcome.kind)).toEqual(['succeeded', 'succeeded']);
  });

  it('refuses, to be tried elsewhere, while it has no grant', async () => {
    const state = await invoker.deploy('hello', ECHO);
    invoker.grant(1024, -1);
    expect((await invoker.invoke(state, 1)).outcome).toMatchObject({ kind: 'refused', retryable: true });
  });

  it('lets a run go on whose caller has hung up, and gives its slot back', async () => {
    invoker.grant(128);
    const state = await invoker.deploy('slow', {
      'index.js': 'exports.main_handler = (ms) => new Promise((resolve) => setTimeout(resolve, ms, "done"))',
    });
    await invoker.invoke(state, 0);
    const abort = new AbortController();
    const hungUp = invoker.invoke(state, 200, {}, abort.signal);
    await vi.waitFor(async () => expect((await invoker.invoke(state, 0)).outcome.kind).toBe('throttled'));
    abort.abort();
    expect((await hungUp).outcome).toMatchObject({ statusCode: 499 });
    await vi.waitFor(() =>
      expect(invoker.bus.records.find((r) => r.requestId === 'request-2')?.result).toBe('"done"'),
    );
    expect((await invoker.invoke(state, 0)).outcome.kind).toBe('succeeded');
  });

  it('serves more callers than it may boot instances at once', async () => {
    const state = await invoker.deploy('many', ECHO);
    const answers = await Promise.all(Array.from({ length: 8 }, () => invoker.invoke(state, 1)));
    expect(answers.every(({ outcome }) => outcome.kind === 'succeeded')).toBe(true);
    expect(driver.created).toBeLessThanOrEqual(8);
  });

  it('recovers by itself from a burst ten times over what it can hold, and from callers that hang up while they wait', async () => {
    await invoker.stop();
    await start({ memoryMb: 512 });
    const code = 'exports.main_handler = (ms) => new Promise((resolve) => setTimeout(resolve, ms, "done"))';
    const state = await invoker.deploy('burst', { 'index.js': code });
    const hangUps = Array.from({ length: 10 }, () => new AbortController());
    const burst = Array.from({ length: 40 }, (_, n) => invoker.invoke(state, 100, {}, hangUps[n]?.signal));
    for (const hangUp of hangUps) hangUp.abort();
    const kinds = (await Promise.all(burst)).map(({ outcome }) => outcome.kind);
    expect(kinds.filter((kind) => kind === 'failed')).toEqual([]);
    await vi.waitFor(
      async () => {
        const calm = await Promise.all([1, 2, 3, 4].map(() => invoker.invoke(state, 1)));
        expect(calm.map(({ outcome }) => outcome.kind)).toEqual(Array(4).fill('succeeded'));
      },
      { timeout: 5_000, interval: 100 },
    );
    expect(driver.living.size).toBeLessThanOrEqual(4);
  });

  it('makes room by ending idle instances of other functions', async () => {
    await invoker.stop();
    await start({ memoryMb: 256 });
    const functions = await Promise.all(['a', 'b', 'c'].map((name) => invoker.deploy(name, ECHO)));
    for (const state of functions) expect((await invoker.invoke(state, 1)).outcome.kind).toBe('succeeded');
    await vi.waitFor(() => expect(driver.living.size).toBe(2));
  });

  it('goes on while Kafka is away, and brings the records later', async () => {
    const state = await invoker.deploy('hello', ECHO);
    await invoker.invoke(state, 1);
    invoker.bus.away = true;
    for (let i = 0; i < 5; i++) expect((await invoker.invoke(state, i)).outcome.kind).toBe('succeeded');
    invoker.bus.away = false;
    await vi.waitFor(() => expect(invoker.bus.records).toHaveLength(6), { timeout: 5_000 });
  });

  it('answers every call, and leaks neither concurrency nor memory, whatever the functions do', async () => {
    const code = `exports.main_handler = (n, context, callback) => {
      switch (n % 8) {
        case 0: return process.exit(1);
        case 1: throw new Error('thrown');
        case 2: return new Promise(() => {});
        case 3: setImmediate(() => { throw new Error('stray') }); return new Promise(() => {});
        case 4: setTimeout(() => process.exit(0), 5); return n;
        case 5: return 'x'.repeat(100000);
        default: return n;
      }
    }`;
    invoker.grant(640);
    const state = await invoker.deploy('wild', { 'index.js': code }, { timeoutMs: 1_000 });
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        for (;;) {
          const { outcome } = await invoker.invoke(state, n);
          if (outcome.kind !== 'throttled') return outcome.statusCode;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }),
    );
    // A process that leaves after its answer may take the next call with it.
    for (const [n, status] of statuses.entries()) {
      expect([[439], [430, 439], [433, 439], [430, 439]][n % 8] ?? [200, 439]).toContain(status);
    }
    expect((await Promise.all([6, 6, 6, 6, 6].map((n) => invoker.invoke(state, n)))).length).toBe(5);
    await vi.waitFor(
      () => expect(invoker.bus.invokers.get('test')?.usedMemoryMb).toBe(driver.living.size * 128),
      { timeout: 5_000, interval: 100 },
    );
    expect(driver.living.size).toBeLessThanOrEqual(5);
  }, 60_000);

  it('drops an instance that ends while it is idle', async () => {
    const state = await invoker.deploy('leaves', {
      'index.js': 'exports.main_handler = async () => { setTimeout(() => process.exit(1), 20) }',
    });
    await invoker.invoke(state, 1);
    await vi.waitFor(() => expect(driver.living.size).toBe(0));
    expect((await invoker.invoke(state, 1)).outcome).toHaveProperty('coldStart');
  });

  it('finishes what runs when it is asked to end, and says that it has left', async () => {
    const state = await invoker.deploy('slow', {
      'index.js': 'exports.main_handler = (ms) => new Promise((resolve) => setTimeout(resolve, ms, "done"))',
    });
    await invoker.invoke(state, 0);
    const running = invoker.invoke(state, 300);
    await vi.waitFor(() => expect(invoker.bus.records).toHaveLength(1));
    await invoker.service.drain(Date.now() + 6_000);
    expect((await running).body.toString()).toBe('"done"');
    expect(invoker.bus.records).toHaveLength(2);
    expect(invoker.bus.invokers.get('test')).toBeUndefined();
  });
});
