import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const source = new URL('./process-end.ts', import.meta.url).href;

/** Runs a few lines in a process of their own, which have `end`; sends the signal when they print `ready`. */
async function run(
  code: string,
  signal?: NodeJS.Signals,
): Promise<{ exitCode: number | null; output: string }> {
  const script = `
    import { onEnd } from ${JSON.stringify(source)};
    const say = (level) => (fields, message) => console.log(level, message ?? fields, fields.error?.message ?? '');
    const logger = { info: say('info'), warn: say('warn'), error: say('error'), fatal: say('fatal'), flush() {} };
    const end = onEnd(logger);
    setTimeout(() => undefined, 60_000);
    ${code}
    console.log('ready');`;
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ]);
  child.stdout.on('data', (chunk: Buffer) => {
    if (signal && chunk.toString().includes('ready')) child.kill(signal);
  });
  const output = text(child.stdout);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return { exitCode, output: await output };
}

describe('onEnd', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'drains on %s, runs what is last, and ends with 0',
    async (signal) => {
      const { exitCode, output } = await run(
        `end.drainWith(async () => console.log('drained'));
       end.before(async () => console.log('last'));`,
        signal,
      );
      expect(exitCode).toBe(0);
      expect(output).toMatch(/service stops[\s\S]*drained[\s\S]*last[\s\S]*service stopped/);
    },
  );

  it('ends at once before there is anything to drain', async () => {
    expect((await run('', 'SIGTERM')).exitCode).toBe(0);
  });

  it('says that a drain failed, and ends with 1', async () => {
    const { exitCode, output } = await run(
      `end.drainWith(() => Promise.reject(new Error('stuck')));`,
      'SIGTERM',
    );
    expect([exitCode, output]).toEqual([
      1,
      expect.stringContaining('error service failed while it stopped stuck'),
    ]);
  });

  it.each([
    ['an exception', `setTimeout(() => { throw new Error('boom'); });`, 'fatal uncaught exception boom'],
    ['a rejection', `void Promise.reject(new Error('boom'));`, 'fatal unhandled rejection boom'],
    [
      'a failed start',
      `end.fail(new Error('boom'), 'service could not start');`,
      'fatal service could not start boom',
    ],
  ])('logs %s that nobody caught, and ends with 1', async (_what, code, expected) => {
    const { exitCode, output } = await run(code);
    expect([exitCode, output]).toEqual([1, expect.stringContaining(expected)]);
  });
});
