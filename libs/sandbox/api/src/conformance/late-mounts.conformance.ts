import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from '../sandbox.types.js';
import { readAll, shellCommand, type Bench, type ConformanceHarness } from './harness.conformance.js';

const LATE = ['/var/user', '/opt'];

/** Waits until something was mounted on a folder, as a bootstrap does that begins in it. */
const untilMounted = (folder: string) =>
  `while [ -z "$(ls -A ${folder})" ]; do read -t 0.01 _ <>/tmp/wait; done`;
const PREPARE = 'mkfifo /tmp/wait; echo "waiting $(ls -A /var/user)$(ls -A /opt)"';

const nextOutput = (sandbox: Sandbox) =>
  new Promise<string>((resolve) => sandbox.output.once('data', (chunk: Buffer) => resolve(chunk.toString())));

export function describeLateMounts(bench: Bench, harness: ConformanceHarness): void {
  describe('late mounts', () => {
    let folder: string;
    const at = (name: string) => join(folder, name);
    const code = () => [{ source: at('code'), target: '/var/user', readOnly: true }];
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'openscf-late-'));
      for (const name of ['code', 'data']) await mkdir(at(name));
      await chmod(at('data'), 0o777);
      await writeFile(at('code/index.js'), 'the function');
      await writeFile(at('data/known'), 'data');
    });
    afterAll(() => rm(folder, { recursive: true }));

    const start = async (script: string) => {
      const command: [string, ...string[]] = ['/bin/bash', '-c', `${PREPARE}; ${script}`];
      const sandbox = await bench.create({ command, lateTargets: LATE, cwd: '/var/user' });
      const first = await nextOutput(sandbox);
      return { sandbox, first };
    };

    it('says so where it cannot', async () => {
      if (bench.driver.capabilities().lateMounts) return;
      const sandbox = await bench.create({ command: ['/bin/sleep', '1000'], lateTargets: LATE });
      await expect(sandbox.attach(code())).rejects.toMatchObject({ reason: 'not-supported' });
      await sandbox.destroy();
    });

    it('fills folders of a running sandbox, read-only or not as asked, without privileges', async () => {
      if (!bench.driver.capabilities().lateMounts) return;
      const script = `${untilMounted('/opt')}; cd /var/user; cat index.js; echo
(echo x >/var/user/new) 2>/dev/null || echo refused; cat /opt/known; echo; echo y >/opt/new && echo written
grep -E " /(var/user|opt) " /proc/mounts | grep -cE "nosuid,nodev"`;
      const { sandbox, first } = await start(script);
      expect(first).toBe('waiting \n');
      const rest = readAll(sandbox);
      await sandbox.attach([...code(), { source: at('data'), target: '/opt', readOnly: false }]);
      expect(await rest).toBe('the function\nrefused\ndata\nwritten\n4\n');
      await sandbox.destroy();
      expect(await readFile(at('data/new'), 'utf8')).toBe('y\n');
    });

    it('shows what it mounts to one sandbox only', async () => {
      if (!bench.driver.capabilities().lateMounts) return;
      const [one, other] = await Promise.all([
        start(`${untilMounted('/var/user')}; echo mounted; sleep 1000`),
        start(`read -t 0.5 _ <>/tmp/wait; ls -A /var/user; grep -c "late\\|code" /proc/self/mountinfo`),
      ]);
      const rest = readAll(other.sandbox);
      const mounted = nextOutput(one.sandbox);
      await one.sandbox.attach(code());
      expect(await mounted).toBe('mounted\n');
      expect(await rest).toBe('0\n');
      await Promise.all([one, other].map(({ sandbox }) => sandbox.destroy()));
    });

    it('refuses folders that are not for it, and a second time', async () => {
      if (!bench.driver.capabilities().lateMounts) return;
      const { sandbox } = await start('sleep 1000');
      const refused = { reason: 'invalid-spec', info: { field: 'mounts.target' } };
      await expect(
        sandbox.attach([{ source: at('code'), target: '/etc', readOnly: true }]),
      ).rejects.toMatchObject(refused);
      await sandbox.attach(code());
      await expect(sandbox.attach(code())).rejects.toMatchObject(refused);
      await sandbox.destroy();
    });

    it('destroys the sandbox when the source is not there, and leaves nothing', async () => {
      if (!bench.driver.capabilities().lateMounts) return;
      const { sandbox } = await start('sleep 1000');
      const missing = { source: at('not-there'), target: '/opt', readOnly: true };
      await expect(sandbox.attach([...code(), missing])).rejects.toMatchObject({ reason: 'start-failed' });
      expect(await sandbox.exited).toMatchObject({ signal: 'SIGKILL' });
      const left = await harness.leftovers(bench.options.owner);
      expect(left.filter((line) => line.includes(`/${sandbox.id}/`))).toEqual([]);
    });
  });
}

export function describePidOne(bench: Bench): void {
  describe('a program as pid 1', () => {
    it('runs it instead of a shell, with the command after two arguments', async () => {
      const program = join(bench.folder, 'pid-one-program');
      const script = `#!/bin/sh
[ "$1 $2" = "pid-one --" ] && shift 2
( echo "pid $$ runs $*"; exec "$@" ) >/run/openscf/output 2>&1 3>&-
code=$?
echo $code >&3
exit $code`;
      await writeFile(program, script, { mode: 0o755 });
      const { exit, output } = await bench.run({ pidOne: program, command: shellCommand('exit 9') });
      expect(output).toBe('pid 1 runs /bin/sh -c exit 9\n');
      expect(exit).toEqual({ exitCode: 9, oomKilled: false });
    });
  });
}
