import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RuntimeCatalog } from './instance/runtime-catalog.js';
import { createSandboxDriver } from './instance/sandbox-driver.factory.js';
import { InvokerFake } from './invoker.fake.js';

const cache = process.env['OPENSCF_CACHE'] ?? join(homedir(), '.cache/openscf');
const manifest = join(cache, 'runtimes/runtimes.json');
const OWNER = `invoker-spec-${process.pid}`;

const NODE_ECHO = {
  'index.js': 'exports.main_handler = async (event, context) => ({ event, id: context.request_id })',
};
const PYTHON_ECHO = {
  'index.py': 'def main_handler(event, context):\n    return {"event": event, "id": context["request_id"]}',
};

/** The invoker on the real driver: what only a kernel can show. */
describe('invoker on runc', () => {
  let invoker: InvokerFake;

  beforeAll(async () => {
    const catalog = await RuntimeCatalog.load(manifest);
    const driver = await createSandboxDriver('runc', {
      owner: OWNER,
      relays: [],
      publicEgress: false,
      readyNetworks: 2,
    });
    const runtimes = catalog.names.flatMap((name) => catalog.get(name) ?? []);
    invoker = await InvokerFake.start(driver, runtimes, {
      invokerId: 'test',
      memoryMb: 2048,
      warmPoolMb: 256,
    });
    await Promise.all(runtimes.map(({ name }) => expect(catalog.get(name)).toBeDefined()));
  });

  afterAll(async () => {
    await invoker.stop();
    expect(existsSync(`/run/openscf-${OWNER}`)).toBe(false);
  });

  it.each(['Nodejs16.13', 'Nodejs18.15', 'Nodejs20.19', 'Nodejs22', 'Nodejs24', 'Python3.7', 'Python3.11'])(
    'runs a function on %s, cold and warm',
    async (runtime) => {
      const files = runtime.startsWith('Python') ? PYTHON_ECHO : NODE_ECHO;
      const state = await invoker.deploy(`hello-${runtime.replace('.', '-')}`, files, { runtime });
      const cold = await invoker.invoke(state, { k: 'ü' });
      expect(cold.outcome).toMatchObject({ kind: 'succeeded', coldStart: expect.anything() as unknown });
      expect(JSON.parse(cold.body.toString())).toMatchObject({ event: { k: 'ü' } });
      const warm = await invoker.invoke(state, 1, { requestId: `warm-${runtime}` });
      expect(warm.outcome).not.toHaveProperty('coldStart');
      expect(JSON.parse(warm.body.toString())).toEqual({ event: 1, id: `warm-${runtime}` });
      expect('memoryBytes' in warm.outcome && warm.outcome.memoryBytes).toBeGreaterThan(1_000_000);
    },
  );

  it('gives a function its environment, its code and a disk of its own', async () => {
    const code = `const fs = require('fs'); exports.main_handler = async () => {
      fs.writeFileSync('/tmp/x', 'kept'); let readOnly = false;
      try { fs.writeFileSync('/var/user/x', '') } catch { readOnly = true }
      const { SCF_RUNTIME, SCF_FUNCTIONNAME, TENCENTCLOUD_RUNENV, MINE, USER } = process.env;
      return { SCF_RUNTIME, SCF_FUNCTIONNAME, TENCENTCLOUD_RUNENV, MINE, USER, cwd: process.cwd(), readOnly, uid: process.getuid() } }`;
    const state = await invoker.deploy('env', { 'index.js': code }, { environment: { MINE: 'own' } });
    const { body } = await invoker.invoke(state, {});
    expect(JSON.parse(body.toString())).toMatchObject({
      SCF_RUNTIME: 'Nodejs20.19',
      SCF_FUNCTIONNAME: 'env',
      TENCENTCLOUD_RUNENV: 'SCF',
      MINE: 'own',
      USER: 'qcloud',
      cwd: '/var/user',
      readOnly: true,
      uid: 1000,
    });
  });

  const tellers: Record<string, Record<string, string>> = {
    'Nodejs20.19': {
      'index.js':
        'console.log("loading"); exports.main_handler = async (e, c) => ({ mine: process.env.MINE, name: process.env.SCF_FUNCTIONNAME, cwd: process.cwd(), own: require("fs").readFileSync("index.js", "utf8").slice(0, 7), memory: c.memory_limit_in_mb })',
    },
    'Python3.11': {
      'index.py':
        '# Python\nimport os\nprint("loading")\ndef main_handler(e, c):\n    return {"mine": os.environ["MINE"], "name": os.environ["SCF_FUNCTIONNAME"], "cwd": os.getcwd(), "own": open("index.py").read()[2:8], "memory": c["memory_limit_in_mb"]}',
    },
    'Php8.2': {
      'index.php':
        '<?php echo "loading\n"; function main_handler($event, $context) { return ["mine" => getenv("MINE"), "name" => $_ENV["SCF_FUNCTIONNAME"], "cwd" => getcwd(), "own" => substr(file_get_contents("index.php"), 2, 3), "memory" => $context->memory_limit_in_mb]; }',
    },
  };

  it.each([
    ['Nodejs20.19', 'console'],
    ['Python3.11', 'Python'],
    ['Php8.2', 'php'],
  ])(
    'gives a function on %s an instance of the warm pool, with everything that is its own',
    async (runtime, own) => {
      const files = tellers[runtime] ?? {};
      let round = 0;
      await vi.waitFor(
        async () => {
          const name = `pooled-${round++}`;
          const state = await invoker.deploy(name, files, { runtime, environment: { MINE: name } });
          const { outcome, body } = await invoker.invoke(state, {}, { requestId: `${name}-${runtime}` });
          expect(JSON.parse(body.toString())).toEqual({
            mine: name,
            name,
            cwd: '/var/user',
            own,
            memory: 128,
          });
          expect(outcome).toMatchObject({ coldStart: { pooled: true } });
          await vi.waitFor(() =>
            expect(invoker.linesOf(`${name}-${runtime}`).join('\n')).toMatch(
              /loading[^]*Cold: first \(pooled\)/,
            ),
          );
        },
        { timeout: 15_000, interval: 500 },
      );
    },
    20_000,
  );

  it.each([
    [
      'Nodejs20.19',
      { 'index.js': 'exports.main_handler = () => { const a = []; for (;;) a.push(Buffer.alloc(8e6, 1)) }' },
    ],
    [
      'Nodejs20.19',
      {
        'index.js':
          'exports.main_handler = () => { const a = []; for (;;) a.push({ a: [1, 2, 3], b: String(Math.random()) }) }',
      },
    ],
    [
      'Python3.11',
      { 'index.py': 'def main_handler(e, c):\n    a = []\n    while True: a.append(bytearray(8_000_000))' },
    ],
  ])('says that a function on %s ran out of memory, and goes on', async (runtime, files) => {
    const state = await invoker.deploy('hungry', files, { runtime, timeoutMs: 20_000 });
    const requestId = `hungry-${Math.random()}`;
    const { outcome, body } = await invoker.invoke(state, {}, { requestId });
    expect(outcome).toMatchObject({ kind: 'failed', statusCode: 434 });
    expect(body.toString()).toMatch(/MemoryLimitReached: the function needs more than its 128 MB of memory/);
    await vi.waitFor(() => expect(invoker.linesOf(requestId).join('\n')).toMatch(/MemoryLimitReached/));
    const fixed = await invoker.deploy('hungry', NODE_ECHO, { runtime: 'Nodejs20.19' });
    expect((await invoker.invoke(fixed, 1)).outcome.kind).toBe('succeeded');
  });

  it('ends a function that runs past its time and ignores SIGTERM', async () => {
    const code =
      'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef main_handler(e, c):\n    print("here", end="")\n    time.sleep(60)';
    const state = await invoker.deploy(
      'late',
      { 'index.py': code },
      { runtime: 'Python3.11', timeoutMs: 1_000 },
    );
    const { outcome, body } = await invoker.invoke(state, {}, { requestId: 'late' });
    expect(outcome).toMatchObject({ kind: 'failed', statusCode: 433 });
    expect(body.toString()).toMatch(/Invoking task timed out after 1 seconds/);
    await vi.waitFor(() => expect(invoker.linesOf('late')).toContain('here'));
  });

  it.each([
    [
      'Python3.11',
      { 'index.py': 'import sys\ndef main_handler(e, c):\n    print("bye")\n    sys.exit(4)' },
      'exit code 4',
    ],
    [
      'Nodejs18.15',
      { 'index.js': 'exports.main_handler = () => { console.log("bye"); process.exit(4) }' },
      'exit code 4',
    ],
    [
      'Nodejs18.15',
      {
        'index.js':
          'exports.main_handler = () => { console.log("bye"); process.kill(process.pid, "SIGKILL") }',
      },
      'SIGKILL',
    ],
  ])('reports the exit of a function on %s with what it printed', async (runtime, files, how) => {
    const state = await invoker.deploy('exits', files, { runtime });
    const requestId = `exits-${Math.random()}`;
    const { outcome, body } = await invoker.invoke(state, {}, { requestId });
    expect(outcome).toMatchObject({ kind: 'failed', statusCode: 439 });
    expect(body.toString()).toContain(`User process exit when running: ${how}`);
    await vi.waitFor(() => expect(invoker.linesOf(requestId).join('\n')).toMatch(/bye\n/));
  });

  it('keeps the lines of consecutive invocations apart, many of them', async () => {
    const code =
      'exports.main_handler = async (n) => { for (let i = 0; i < 20; i++) process.stdout.write(`${n}:${i} ${"x".repeat(200)}\\n`) }';
    const state = await invoker.deploy('chatty', { 'index.js': code });
    for (let n = 0; n < 100; n++) await invoker.invoke(state, n, { requestId: `chat-${n}` });
    await vi.waitFor(() => expect(invoker.linesOf('chat-99').length).toBeGreaterThan(20));
    for (let n = 0; n < 100; n++) {
      const printed = invoker.linesOf(`chat-${n}`).filter((line) => line.endsWith('x'));
      expect(printed.map((line) => line.split(' ')[0])).toEqual(
        Array.from({ length: 20 }, (_, i) => `${n}:${i}`),
      );
    }
  });

  it('bounds the log of a function that prints without end', async () => {
    const code = 'exports.main_handler = () => { for (;;) process.stdout.write("y".repeat(1000) + "\\n") }';
    const state = await invoker.deploy('flood', { 'index.js': code }, { timeoutMs: 1_000 });
    const { outcome } = await invoker.invoke(state, {}, { requestId: 'flood' });
    expect(outcome).toMatchObject({ statusCode: 433 });
    await vi.waitFor(() =>
      expect(invoker.linesOf('flood').some((line) => /the log was cut at 1 MB/.test(line))).toBe(true),
    );
  });
});
