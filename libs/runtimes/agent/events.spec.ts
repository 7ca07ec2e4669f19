import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, agentProgram, buildGo, freePort, type CodeFile } from './agent-process.fake.js';

const example = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url)), 'utf8');

let agent: AgentProcess | undefined;

async function start(mode: string, files: Record<string, CodeFile> = {}): Promise<AgentProcess> {
  agent = await AgentProcess.start(mode, files);
  return agent;
}

beforeAll(() => void agentProgram(), 120_000);

afterEach(async () => {
  await agent?.stop();
  agent = undefined;
});

describe('a custom runtime', () => {
  const api = 'api=http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime\n';

  async function custom(bootstrap: CodeFile, init?: Record<string, unknown>): Promise<AgentProcess> {
    const started = await start('custom', { bootstrap });
    expect(await started.init(init)).toBeUndefined();
    return started;
  }

  it('answers events, and what it prints comes before its answer', async () => {
    const shell = await custom(example('custom-runtime-shell/src/bootstrap'));
    expect(await shell.invoke({ n: 1 })).toEqual({
      result: { message: 'Hello from a shell', event: { n: 1 } },
    });
    expect(await shell.invoke([2])).toEqual({ result: { message: 'Hello from a shell', event: [2] } });
    expect(shell.output).toBe('got {"n":1}\ngot [2]\n');
  });

  it('gets its limits, its handler, its variables, and the same event until it has answered', async () => {
    const shell = await custom(
      `#!/bin/sh
${api}curl -s -X POST $api/init/ready
first=$(curl -s $api/invocation/next)
second=$(curl -si $api/invocation/next | tr -d '\\r')
echo "$first $_HANDLER $COLOUR"
echo "$second" | grep -E '^[A-Z][a-z]+_'
curl -s $api/invocation/response -d "$first"
sleep 60`,
      { handler: 'a.b', environment: { COLOUR: 'red' } },
    );
    expect(await shell.invoke({ n: 1 })).toEqual({ result: { n: 1 } });
    expect(shell.output.split('\n').slice(0, 4)).toEqual([
      '{"n":1} a.b red',
      'Request_Id: request-1',
      'Memory_Limit_In_Mb: 128',
      'Time_Limit_In_Ms: 3000',
    ]);
  });

  it('has the first of its answers counted', async () => {
    const shell = await custom(`#!/bin/sh
${api}curl -s -X POST $api/init/ready
curl -s $api/invocation/next >/dev/null
curl -s $api/invocation/error -d 'it broke'
curl -s -w '%{http_code}\\n' $api/invocation/response -d '1'
sleep 60`);
    expect(await shell.invoke({})).toMatchObject({ failure: { reason: 'exception', message: 'it broke' } });
    await shell.until(() => shell.output.includes('409'));
    expect(shell.output).toContain('answered already');
  });

  it('may answer with large bodies, and with text that is not JSON', async () => {
    const shell = await custom(`#!/bin/sh
${api}curl -s -X POST $api/init/ready
curl -s $api/invocation/next | curl -s $api/invocation/response --data-binary @-
curl -s $api/invocation/next >/dev/null
curl -s $api/invocation/response -d 'plain text'
curl -s $api/invocation/next >/dev/null
head -c 7000000 /dev/zero | curl -s -H 'Transfer-Encoding: chunked' $api/invocation/response --data-binary @-
sleep 60`);
    const event = { text: 'x'.repeat(3_000_000) };
    expect(await shell.invoke(event)).toEqual({ result: event });
    expect(await shell.invoke({})).toEqual({ result: 'plain text' });
    expect(await shell.invoke({})).toMatchObject({ failure: { reason: 'result-too-large' } });
  });

  it('that ends is reported with how, before and after it was ready', async () => {
    const early = await start('custom', { bootstrap: '#!/bin/sh\nexit 3' });
    expect(await early.init()).toMatchObject({
      reason: 'exited',
      message: expect.stringContaining('exited with code 3 before it called /runtime/init/ready') as unknown,
    });
    await early.stop();
    const late = await custom(`#!/bin/sh
${api}curl -s -X POST $api/init/ready
curl -s $api/invocation/next; kill -SEGV $$`);
    expect(await late.invoke({})).toMatchObject({
      failure: { reason: 'exited', message: 'bootstrap was ended by SIGSEGV', recycle: true },
    });
    expect(await late.exited()).toBe(139);
  });

  it('that does not ask for its event is told from one that does not answer', async () => {
    const shell = await custom(`#!/bin/sh\n${api}curl -s -X POST $api/init/ready\nexec sleep 60`, {
      context: { time_limit_in_ms: 50 },
    });
    expect(await shell.invoke({})).toMatchObject({ failure: { reason: 'not-fetched', recycle: true } });
  });

  it.each<[string, Record<string, CodeFile>, RegExp]>([
    ['does not exist', { 'index.js': '' }, /bootstrap does not exist; the code holds: index\.js/],
    ['lies in a folder', { 'app/bootstrap': '' }, /app\/bootstrap does: pack what is in the folder/],
    [
      'is not executable',
      { bootstrap: { text: '#!/bin/sh', mode: 0o644 } },
      /its mode is 644; run chmod 755/,
    ],
    ['has Windows line ends', { bootstrap: '#!/bin/sh\r\n' }, /CRLF/],
    ['names no interpreter that exists', { bootstrap: '#!/no/such\n' }, /"#!\/no\/such", names a program/],
  ])('that %s is named', async (_what, files, message) => {
    const failed = await (await start('custom', files)).init();
    expect(failed).toMatchObject({ reason: 'bootstrap-missing' });
    expect(failed?.message).toMatch(message);
  });

  it('ends with all that it has started when the channel is lost', async () => {
    const shell = await custom(
      `#!/bin/sh\n${api}curl -s -X POST $api/init/ready\nsleep 600 & echo "pid $!"\nwait`,
    );
    await shell.until(() => /pid \d+/.test(shell.output));
    const pid = Number(/pid (\d+)/.exec(shell.output)?.[1]);
    shell.hangUp();
    expect(await shell.exited()).toBe(0);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('is passed SIGTERM', async () => {
    const shell = await custom(
      `#!/bin/bash\n${api}trap 'echo bye; exit 0' TERM\ncurl -s -X POST $api/init/ready\nsleep 60 & wait $!`,
    );
    shell.signal('SIGTERM');
    expect(await shell.exited()).toBe(0);
    await shell.until(() => shell.output.includes('bye'));
  });
});

describe('a Go program', () => {
  const program = (): Buffer => {
    const sources = fileURLToPath(new URL('./testdata/go1', import.meta.url));
    return readFileSync(join(buildGo(sources, 'main'), 'main'));
  };

  async function go(): Promise<AgentProcess> {
    const started = await start('go1', { main: { text: program(), mode: 0o755 } });
    expect(await started.init({ environment: { COLOUR: 'red' } })).toBeUndefined();
    return started;
  }

  it('gets the event and its context', async () => {
    const running = await go();
    expect(await running.invoke({ do: 'context' })).toEqual({
      result: {
        RequestID: 'request-1',
        FunctionName: 'hello',
        Namespace: 'default',
        MemoryLimitInMb: 128,
        TimeLimitInMs: 3000,
        Colour: 'red',
        Namespaced: 'default',
        Hurried: true,
      },
    });
    expect(await running.invoke({ do: 'nothing' })).toEqual({ result: null });
  }, 120_000);

  it('fails with its error, its panic and its end', async () => {
    const running = await go();
    expect(await running.invoke({ do: 'fail' })).toMatchObject({
      failure: { reason: 'exception', message: 'it broke', recycle: false },
    });
    const panicked = await running.invoke({ do: 'panic' });
    expect(panicked).toMatchObject({ failure: { reason: 'exception', message: 'no way', recycle: true } });
    expect('failure' in panicked && panicked.failure.stackTrace).toMatch(/main\/main\.go:\d+/);
    expect(await running.invoke({ do: 'exit' })).toMatchObject({
      failure: { reason: 'exited', message: 'main exited with code 5' },
    });
  }, 120_000);

  it('that does not exist is named', async () => {
    const failed = await (await start('go1')).init({ handler: 'nope' });
    expect(failed).toMatchObject({ reason: 'bootstrap-missing' });
    expect(failed?.message).toContain('/nope does not exist');
  });
});

describe('an image', () => {
  const server = `
const http = require('http');
http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const { url, method, headers } = request;
    const event = Buffer.concat(chunks).toString();
    if (event === '"die"') process.exit(4);
    if (event === '"broken"') response.statusCode = 500;
    if (event === '"close"') response.shouldKeepAlive = false;
    response.end(JSON.stringify({ url, method, headers, event }));
  });
}).listen(Number(process.env.AT));`;

  it('gets events by POST /event-invoke, with their context in headers', async () => {
    const port = await freePort();
    const image = await start('image', { 'server.js': server });
    const environment = { AT: String(port), TENCENTCLOUD_SECRETID: 'AKID' };
    const command = ['node', 'server.js'];
    expect(
      await image.init({ type: 'Event', port, command, workDir: image.codeRoot, environment }),
    ).toBeUndefined();
    expect(await image.invoke({ a: 'ü' })).toMatchObject({
      result: {
        method: 'POST',
        url: '/event-invoke',
        event: '{"a":"ü"}',
        headers: {
          'content-type': 'application/json',
          'x-scf-request-id': 'request-1',
          'x-scf-memory': '128',
          'x-scf-name': 'hello',
          'x-scf-uin': '100000000001',
          'x-scf-secret-id': 'AKID',
        },
      },
    });
    expect(await image.invoke('"close"')).toMatchObject({ result: { event: '"close"' } });
    expect(await image.invoke('"broken"')).toMatchObject({
      failure: { reason: 'exception', message: expect.stringContaining('status 500') as unknown },
    });
    expect(await image.invoke('"die"')).toMatchObject({
      failure: { reason: 'exited', message: 'node exited with code 4' },
    });
  });

  it('gets requests as a web function does', async () => {
    const port = await freePort();
    const image = await start('image', { 'server.js': server });
    const command = ['/bin/sh', '-c', 'exec node "$0"', './server.js'];
    const environment = { AT: String(port) };
    expect(
      await image.init({ type: 'HTTP', port, command, workDir: image.codeRoot, environment }),
    ).toBeUndefined();
    const { status, body } = await image.fetch('PUT', '/any/path', {}, 'text');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ method: 'PUT', url: '/any/path', event: 'text' });
  });

  it.each([
    [['no-such-program'], 'no-such-program is in no folder of PATH'],
    [['./here'], 'here does not exist'],
    [[], 'has no command'],
  ])('whose command is %j is named', async (command, message) => {
    const image = await start('image');
    expect(await image.init({ type: 'HTTP', command, workDir: image.codeRoot })).toMatchObject({
      reason: 'bootstrap-missing',
      message: expect.stringContaining(message) as unknown,
    });
  });
});

describe('a job', () => {
  async function job(...command: string[]): Promise<AgentProcess> {
    const started = await start('job');
    expect(await started.init({ command, workDir: '/tmp' })).toBeUndefined();
    return started;
  }

  it('runs its command for each event', async () => {
    const script = 'echo "$SCF_CUSTOM_CONTAINER_EVENT $SCF_CUSTOM_CONTAINER_CONTEXT"; cat; pwd';
    const running = await job('sh', '-c', script);
    expect(await running.invoke({ n: 1 })).toEqual({ result: null });
    expect(await running.invoke({ n: 2 })).toEqual({ result: null });
    await running.until(() => running.output.split('/tmp\n').length === 3);
    expect(running.output).toMatch(/^\{"n":1\} \{.*"request_id":"request-1".*\}\n\{"n":1\}\/tmp\n\{"n":2\} /);
  });

  it('fails with its exit code, and leaves nothing running', async () => {
    const running = await job('sh', '-c', 'sleep 600 & echo "pid $!"; exit 7');
    expect(await running.invoke({})).toMatchObject({
      failure: { reason: 'exception', message: 'sh exited with code 7', recycle: false },
    });
    await running.until(() => running.output.includes('\n'));
    const pid = Number(/pid (\d+)/.exec(running.output)?.[1]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('need not read its event, and is told when that is too large for it', async () => {
    const running = await job('true');
    expect(await running.invoke({ text: 'x'.repeat(100_000) })).toEqual({ result: null });
    expect(await running.invoke({ text: 'x'.repeat(200_000) })).toMatchObject({
      failure: { reason: 'exception', message: expect.stringContaining('128 KB') as unknown },
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
