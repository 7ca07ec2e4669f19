import { describe, expect, it } from 'vitest';
import { shellCommand, type Bench } from './harness.conformance.js';

export function describeExecution(bench: Bench): void {
  describe('execution', () => {
    it('runs a command as qcloud, in its folder, with its own name and exactly its environment', async () => {
      const env = { PATH: '/usr/bin:/bin', GREETING: 'with space and "quotes" $HOME' };
      const script =
        'id -un; pwd; uname -n; echo "$GREETING"; tr "\\0" "\\n" </proc/$$/environ | cut -d= -f1 | sort | tr "\\n" " "';
      const { exit, output } = await bench.shell(script, { env, cwd: '/opt', hostname: 'my-host' });
      const [user, folder, host, greeting, names] = output.split('\n');
      expect({ user, folder, host, greeting }).toEqual({
        user: 'qcloud',
        folder: '/opt',
        host: 'my-host',
        greeting: env.GREETING,
      });
      // A shell sets PWD, and the engine HOSTNAME and HOME; nothing of the host's environment may be there.
      const own = names
        ?.trim()
        .split(' ')
        .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_', 'HOME', 'HOSTNAME'].includes(name));
      expect(own).toEqual(['GREETING', 'PATH']);
      expect(exit).toEqual({ exitCode: 0, oomKilled: false });
    });

    it('finds its own name without asking anyone', async () => {
      const { output } = await bench.shell('getent hosts my-host', { hostname: 'my-host' });
      expect(output).toMatch(/^127\.|^\d+\.\d+\.\d+\.\d+ +my-host/);
    });

    it('tells the exit code, the signal, and a program that is not there', async () => {
      const ends = await Promise.all([
        bench.shell('exit 7'),
        bench.shell('kill -SEGV $$'),
        bench.run({ command: ['/not/there'] }),
      ]);
      expect(ends.map(({ exit }) => exit)).toEqual([
        { exitCode: 7, oomKilled: false },
        { signal: 'SIGSEGV', oomKilled: false },
        { exitCode: 127, oomKilled: false },
      ]);
    });

    it('carries both streams whole and in order, far beyond the size of a pipe', async () => {
      const script = 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; echo "error $i" >&2; i=$((i+1)); done';
      const { output } = await bench.shell(script);
      const expected = Array.from({ length: 20_000 }, (_, i) => `line ${i}\nerror ${i}\n`).join('');
      expect(output).toBe(expected);
    });

    it('lets programs open their output by path, as /dev/stdout', async () => {
      const { output } = await bench.shell('echo by-path >/dev/stdout');
      expect(output).toBe('by-path\n');
    });

    it('ends all that the command left running', async () => {
      const { exit, output } = await bench.shell('(trap "" TERM HUP; sleep 1000) & echo started');
      expect(exit).toEqual({ exitCode: 0, oomKilled: false });
      expect(output).toBe('started\n');
    });

    it('reads processor time and memory, and the most memory so far', async () => {
      const script =
        'import time\nx=bytearray(64<<20)\nfor i in range(2000000): pass\nprint("used", flush=True)\ndel x\ntime.sleep(1000)';
      const sandbox = await bench.create({ command: ['/usr/bin/python3.11', '-c', script] });
      await new Promise((resolve) => sandbox.output.once('data', resolve));
      const usage = await sandbox.usage();
      expect(usage.cpuMs).toBeGreaterThan(20);
      expect(usage.memoryBytes).toBeGreaterThan(2 << 20);
      expect(usage.memoryPeakBytes).toBeGreaterThanOrEqual(usage.memoryBytes);
      await sandbox.destroy();
      await expect(sandbox.usage()).rejects.toMatchObject({ reason: 'sandbox-gone' });
    });

    it('runs twenty sandboxes at once', async () => {
      const runs = Array.from({ length: 20 }, (_, i) =>
        bench.run({ command: shellCommand(`echo ${i}`), network: 'egress' }),
      );
      const outcomes = await Promise.all(runs);
      expect(outcomes.map(({ output }) => output)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}\n`));
    });
  });
}
