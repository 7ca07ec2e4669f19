import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { SandboxLimits } from '../sandbox.types.js';
import type { Bench } from './harness.conformance.js';

const LIMITS: SandboxLimits = { memoryMb: 256, cpuShares: 512, pids: 64, openFiles: 128, tmpMb: 32 };

const allocate = (megabytes: number) => `x=bytearray(b"x")*(${megabytes}<<20)\nprint("allocated")`;

export function describeLimits(bench: Bench): void {
  describe('limits, by the kernel', () => {
    it('kills for memory beyond the limit, and says so', async () => {
      const { exit, output } = await bench.python(allocate(400), { limits: LIMITS });
      expect(exit).toMatchObject({ signal: 'SIGKILL', oomKilled: true });
      expect(output).not.toContain('allocated');
    });

    it('gives the memory within the limit', async () => {
      const { exit } = await bench.python(allocate(180), { limits: LIMITS });
      expect(exit).toEqual({ exitCode: 0, oomKilled: false });
    });

    it('says that memory was the reason also when the command survives it', async () => {
      const script = `import os\npid=os.fork()\nif pid==0:\n  x=bytearray(b"x")*(400<<20)\nos.waitpid(pid,0)`;
      const { exit } = await bench.python(script, { limits: LIMITS });
      expect(exit).toEqual({ exitCode: 0, oomKilled: true });
    });

    it('counts processes and threads together', async () => {
      const script = `import threading,time
threads=0
try:
  while True:
    threading.Thread(target=time.sleep,args=(1000,),daemon=True).start(); threads+=1
except RuntimeError: print(threads, flush=True)
import os; os._exit(0)`;
      const { output } = await bench.python(script, { limits: LIMITS });
      expect(Number(output)).toBeGreaterThan(32);
      expect(Number(output)).toBeLessThan(64);
    });

    it('stops a fork bomb at the limit, and destroy ends it', async () => {
      const sandbox = await bench.create({
        command: ['/bin/bash', '-c', ':(){ :|:& };: 2>/dev/null; sleep 1000'],
        limits: LIMITS,
      });
      sandbox.output.resume();
      await sandbox.destroy();
      expect(await sandbox.exited).toMatchObject({ signal: 'SIGKILL' });
    });

    it('limits open files', async () => {
      const script = `import os
files=[]
try:
  while True: files.append(os.open("/dev/null",0))
except OSError as e: n=max(files)+1; os.closerange(3,n); print(n, e.errno)`;
      const { output } = await bench.python(script, { limits: LIMITS });
      expect(output).toBe('128 24\n');
    });

    it('limits processors to a part of one', async () => {
      const script = `import time
def spin():
  start=time.process_time(); end=time.monotonic()+1
  while time.monotonic()<end: pass
  print(time.process_time()-start)
spin()`;
      const { output } = await bench.python(script, { limits: { ...LIMITS, cpus: 0.2 } });
      expect(Number(output)).toBeLessThan(0.45);
    });

    it.each([
      ['raised', 384, 250, { exitCode: 0, oomKilled: false }],
      ['lowered', 96, 150, { signal: 'SIGKILL' as const, oomKilled: true }],
    ])('changes limits while the instance runs: %s', async (_direction, memoryMb, megabytes, exit) => {
      const script = `import sys\nprint("waiting", flush=True)\nwhile open("/run/openscf/go").read()=="": pass\n${allocate(megabytes)}`;
      const spec = await bench.spec({ command: ['/usr/bin/python3.11', '-c', script], limits: LIMITS });
      await writeFile(`${spec.runDirectory}/go`, '');
      const sandbox = await bench.driver.create(spec);
      await new Promise((resolve) => sandbox.output.once('data', resolve));
      await sandbox.setLimits({ memoryMb, cpuShares: 1024 });
      await writeFile(`${spec.runDirectory}/go`, 'go');
      expect(await sandbox.exited).toEqual(exit);
      await sandbox.destroy();
    });
  });
}

export function describeTmp(bench: Bench): void {
  describe('/tmp', () => {
    it('limits /tmp, which is writable and empty', async () => {
      const script = `ls -A /tmp; dd if=/dev/zero of=/tmp/file bs=1M count=100 2>&1 | grep -o "No space left"; wc -c </tmp/file`;
      const { output } = await bench.shell(script, { limits: LIMITS });
      const [message, bytes] = output.split('\n');
      expect(message).toBe('No space left');
      expect(Number(bytes) / (32 << 20)).toBeGreaterThan(0.98);
      expect(Number(bytes) / (32 << 20)).toBeLessThan(1.1);
    });

    it('lets a small function fill a large /tmp, and the next one finds it empty', async () => {
      if (!bench.driver.capabilities().tmpOutsideMemory) return;
      const script = `ls -A /tmp; dd if=/dev/zero of=/tmp/file bs=1M count=600 2>&1 | grep -o "No space left"; wc -c </tmp/file; mkdir -p /tmp/a/b; ln -s / /tmp/a/root; df -m /tmp | tail -1 | tr -s " " | cut -d" " -f2`;
      const limits = { ...LIMITS, memoryMb: 64, tmpMb: 512 };
      for (let round = 0; round < 2; round += 1) {
        const { output, exit } = await bench.shell(script, { limits });
        const [message, bytes] = output.split('\n');
        expect(exit).toEqual({ exitCode: 0, oomKilled: false });
        expect(message).toBe('No space left');
        expect(Number(bytes) / (512 << 20)).toBeGreaterThan(0.98);
        expect(Number(bytes) / (512 << 20)).toBeLessThan(1.1);
      }
    });
  });
}
