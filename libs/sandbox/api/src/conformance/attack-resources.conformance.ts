import { describe, expect, it } from 'vitest';
import type { Sandbox, SandboxLimits } from '../sandbox.types.js';
import { readAll, shellCommand, type Bench } from './harness.conformance.js';

const LIMITS: SandboxLimits = { memoryMb: 128, cpuShares: 512, pids: 64, openFiles: 128, tmpMb: 32 };
const PYTHON = '/usr/bin/python3.11';

const firstOutput = (sandbox: Sandbox) =>
  new Promise<string>((resolve) => sandbox.output.once('data', (chunk: Buffer) => resolve(chunk.toString())));

export function describeAttacksOnResources(bench: Bench): void {
  describe('a function that takes all it can', () => {
    it('bombs with processes, and others start and run as ever', async () => {
      const bomb = await bench.create({
        command: ['/bin/bash', '-c', 'echo up; f(){ f|f& }; while :; do f 2>/dev/null; done'],
        limits: LIMITS,
      });
      await firstOutput(bomb);
      const { output } = await bench.shell('for i in 1 2 3 4 5; do (echo child $i); done');
      expect(output.split('\n')).toHaveLength(6);
      await bomb.destroy();
    });

    it('eats memory with many processes, which are counted together', async () => {
      const script = `import os, time
for i in range(8):
  if os.fork()==0:
    x=bytearray(b"x")*(48<<20); time.sleep(60); os._exit(0)
codes=[os.wait()[1]]; print(codes)`;
      const { exit } = await bench.python(script, { limits: LIMITS });
      expect(exit.oomKilled).toBe(true);
    });

    it('fills what it can write to, up to a limit, and the disk of the host is as it was', async () => {
      const script = `for f in /dev/shm /tmp; do dd if=/dev/zero of=$f/fill bs=1M count=300 2>&1 | grep -oE "No space left|quota exceeded"; done
mkdir -p /tmp/new 2>/dev/null; for f in / /var/user /run/openscf /home/qcloud /var/tmp; do (echo x >$f/fill) 2>/dev/null && echo $f; done; true`;
      const limits = { ...LIMITS, memoryMb: 512 };
      const { output, exit } = await bench.shell(script, { limits });
      expect(output).toMatch(/^(No space left|quota exceeded)\n(No space left|quota exceeded)\n$/);
      expect(exit).toEqual({ exitCode: 0, oomKilled: false });
    });

    it('writes output without end, and is destroyed nevertheless', async () => {
      const sandbox = await bench.create({ command: ['/bin/sh', '-c', 'trap "" PIPE; yes; yes; yes'] });
      await firstOutput(sandbox);
      sandbox.output.pause();
      await sandbox.destroy();
      expect(await sandbox.exited).toMatchObject({ signal: 'SIGKILL' });
    });

    it('spins on all processors, and a neighbour keeps its share', async () => {
      const spin = `import os, time
for i in range(7):
  if os.fork()==0: break
print("spinning", flush=True)
while True: pass`;
      const attacker = await bench.create({ command: [PYTHON, '-I', '-S', '-c', spin] });
      await firstOutput(attacker);
      const work = `import time
print("go", flush=True)
start=time.process_time(); end=time.monotonic()+2
while time.monotonic()<end: pass
print((time.process_time()-start)*1000)`;
      const neighbour = await bench.create({ command: [PYTHON, '-I', '-S', '-c', work] });
      await firstOutput(neighbour);
      // Rates, because an engine may take a second to tell a usage.
      const from = { at: performance.now(), cpuMs: (await attacker.usage()).cpuMs };
      const got = Number(await readAll(neighbour)) / 2_000;
      const { cpuMs } = await attacker.usage();
      const taken = (cpuMs - from.cpuMs) / (performance.now() - from.at);
      await Promise.all([attacker, neighbour].map((sandbox) => sandbox.destroy()));
      // Equal shares; the neighbour has one thread, so at most one processor of however many there are.
      const processors = Math.max(2, taken + got);
      expect(got / (taken + got)).toBeGreaterThan(0.5 / processors);
    });

    it('holds every file that it may, and others open theirs', async () => {
      const script = `import os, time
files=[]
try:
  while True: files.append(os.memfd_create("x"))
except OSError as e: print(e.errno, flush=True)
time.sleep(1000)`;
      const greedy = await bench.create({ command: [PYTHON, '-I', '-c', script], limits: LIMITS });
      expect(await firstOutput(greedy)).toBe('24\n');
      expect(
        (await bench.run({ command: shellCommand('cat /etc/hostname >/dev/null; echo ok') })).output,
      ).toBe('ok\n');
      await greedy.destroy();
    });
  });
}
