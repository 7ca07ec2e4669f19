import { describe, expect, it } from 'vitest';
import { shellCommand, type Bench } from './harness.conformance.js';

export function describeEscalation(bench: Bench): void {
  describe('a function that wants more rights', () => {
    it('gains nothing from a set-user-id program of its own', async () => {
      const { output } = await bench.shell(
        'cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id; /tmp/id -u; cp /bin/bash /tmp/sh; chmod u+s /tmp/sh; /tmp/sh -p -c "id -u; cat /etc/shadow" 2>/dev/null',
      );
      expect(output).toBe('1000\n1000\n');
    });

    it('gets no capability by asking, nor by a new user namespace', async () => {
      const script = `import ctypes, subprocess
libc=ctypes.CDLL(None,use_errno=True)
header=(ctypes.c_uint32*2)(0x20080522,0); all=(ctypes.c_uint32*6)(*[0xffffffff]*6)
print(libc.capset(header,all), libc.prctl(47,2,21,0,0), libc.prctl(24,21,0,0,0) in (0,-1))
for command in (["unshare","-Ur","true"],["unshare","-m","true"],["nsenter","-t","1","-m","true"],["setpriv","--reuid","0","true"]):
  print(subprocess.run(command,capture_output=True).returncode != 0)
print([l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")])`;
      const { output } = await bench.python(script);
      expect(output).toBe("-1 -1 True\nTrue\nTrue\nTrue\nTrue\n['0000000000000000']\n");
    });

    it('does not pass the filter by the calls of 32-bit programs', async () => {
      if (process.arch !== 'x64') return;
      // mov eax, 39 (mkdir); mov ebx, path below 4 GB; mov ecx, 0755; int 0x80; ret
      const script = `import ctypes, mmap, os
page=mmap.mmap(-1,4096,mmap.MAP_PRIVATE|mmap.MAP_ANONYMOUS|0x40,mmap.PROT_READ|mmap.PROT_WRITE|mmap.PROT_EXEC)
address=ctypes.addressof(ctypes.c_char.from_buffer(page))
page[100:109]=b"/tmp/new\\0"
page[0:18]=b"\\xb8\\x27\\0\\0\\0\\xbb"+(address+100).to_bytes(8,"little")[:4]+b"\\xb9\\xed\\1\\0\\0\\xcd\\x80\\xc3"
pid=os.fork()
if pid==0: ctypes.CFUNCTYPE(ctypes.c_int)(address)(); os._exit(0)
os.waitpid(pid,0); print(os.path.exists("/tmp/new"))`;
      const { output } = await bench.python(script);
      expect(output).toBe('False\n');
    });

    it('shares no memory, queue or semaphore with another sandbox', async () => {
      const make = `import ctypes
libc=ctypes.CDLL(None,use_errno=True)
FLAGS=FLAGS_VALUE
print(libc.shmget(0x5343,4096,FLAGS)>=0, libc.msgget(0x5343,FLAGS)>=0, libc.semget(0x5343,1,FLAGS)>=0, flush=True)
try: print(open("/dev/shm/mine",MODE).name, flush=True)
except OSError: print("none")
import time; time.sleep(STAY)`;
      const fill = (flags: string, mode: string, stay: number) =>
        make.replace('FLAGS_VALUE', flags).replace('MODE', `"${mode}"`).replace('STAY', `${stay}`);
      const other = await bench.create({
        command: ['/usr/bin/python3.11', '-I', '-c', fill('0o1666', 'w', 1000)],
      });
      const made = await new Promise<string>((resolve) =>
        other.output.once('data', (chunk: Buffer) => resolve(chunk.toString())),
      );
      expect(made).toMatch(/^True True True/);
      const { output } = await bench.python(fill('0o666', 'r', 0));
      await other.destroy();
      expect(output).toBe('False False False\nnone\n');
    });

    it('cannot stop or trace the first process, which ends it', async () => {
      const sandbox = await bench.create({
        command: shellCommand('kill -STOP 1; kill -KILL 1; echo still; exit 5'),
      });
      let output = '';
      sandbox.output.on('data', (chunk: Buffer) => (output += chunk.toString()));
      expect(await sandbox.exited).toEqual({ exitCode: 5, oomKilled: false });
      await sandbox.destroy();
      expect(output).toBe('still\n');
    });
  });
}
