import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentProgram } from './agent-process.fake.js';

describe('pid one', () => {
  let folder: string;
  let running: ChildProcess | undefined;

  beforeAll(() => void agentProgram(), 120_000);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openscf-pid-one-'));
    execFileSync('mkfifo', [join(folder, 'output')]);
  });

  afterEach(() => {
    running?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  /** Runs it with a pipe as descriptor 3, and a reader of its FIFO. */
  function start(...command: string[]): {
    printed: Promise<string>;
    report: Promise<string>;
    own: Promise<string>;
  } {
    const reader = spawn('cat', [join(folder, 'output')]);
    const args = ['pid-one', '--output', join(folder, 'output'), '--', ...command];
    running = spawn(agentProgram(), args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    const [, out, err, report] = running.stdio as unknown as [null, Readable, Readable, Readable];
    const own = Promise.all([text(out), text(err)]).then((both) => both.join(''));
    return { printed: text(reader.stdout), report: text(report), own };
  }

  it.each([
    ['exit 0', '0', 0],
    ['exit 7', '7', 7],
    ['kill -TERM $$', '143', 143],
    ['kill -KILL $$', '137', 137],
  ])('reports the end of `%s` as a shell does: %s', async (script, reported, code) => {
    const { printed, report, own } = start('/bin/sh', '-c', `echo out; echo err >&2; ${script}`);
    expect(await once(running as ChildProcess, 'exit')).toEqual([code, null]);
    expect(await printed).toBe('out\nerr\n');
    expect(await report).toBe(`${reported}\n`);
    expect(await own).toBe('');
  });

  it('keeps descriptor 3 from the command, and gives it its arguments as they are', async () => {
    const script = '(echo leak >&3) 2>/dev/null || echo "$0|$1|$2"';
    const { printed, report } = start('/bin/sh', '-c', script, 'a b', '', '$x');
    expect(await report).toBe('0\n');
    expect(await printed).toBe('a b||$x\n');
  });

  it.each([
    ['/no/such/program', '127'],
    ['no-such-program', '127'],
    ['/etc/passwd', '126'],
  ])('says that %s cannot be run', async (program, reported) => {
    const { printed, report } = start(program);
    expect(await report).toBe(`${reported}\n`);
    expect(await printed).toContain(program);
  });

  it('reaps what is orphaned, and outlives signals', async () => {
    const namespaces = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    // In a pid namespace of its own it is pid 1 indeed, and what it leaves is ended by the kernel.
    const script = `
      (sh -c 'sleep 0.01 & exec true' &) ; (sh -c 'true &' &)
      kill -TERM 1; kill -INT 1; kill -HUP 1
      while grep -qs 'State:.Z' /proc/[0-9]*/status || pgrep -x sleep >/dev/null; do :; done
      sleep 600 & echo left running`;
    const reader = spawn('cat', [join(folder, 'output')]);
    const printed = text(reader.stdout);
    const done = spawnSync(
      'unshare',
      [
        ...namespaces,
        agentProgram(),
        'pid-one',
        '--output',
        join(folder, 'output'),
        '--',
        '/bin/sh',
        '-c',
        script,
      ],
      { timeout: 30_000 },
    );
    expect(done.status).toBe(0);
    expect(await printed).toBe('left running\n');
  });

  it('takes little memory', async () => {
    const { report } = start('/bin/sh', '-c', 'kill -STOP $$');
    const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');
    const pid = running?.pid ?? 0;
    const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    await expect
      .poll(() => children() !== '' && statusOf(Number(children())).includes('T (stopped)'))
      .toBe(true);
    const kilobytes = Number(/RssAnon:\s+(\d+)/.exec(statusOf(pid))?.[1]);
    expect(kilobytes).toBeLessThan(2048);
    process.kill(Number(children()), 'SIGKILL');
    expect(await report).toBe('137\n');
  });
});
