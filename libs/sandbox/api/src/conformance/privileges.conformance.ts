import { describe, expect, it } from 'vitest';
import type { Bench } from './harness.conformance.js';

/** Numbers of system calls on x64 and arm64, and what each would be good for. */
const DENIED_CALLS: [string, number, number][] = [
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['ptrace', 101, 117],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['keyctl', 250, 219],
  ['add_key', 248, 217],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['process_vm_readv', 310, 270],
  ['io_uring_setup', 425, 425],
  ['userfaultfd', 323, 282],
  ['open_by_handle_at', 304, 265],
  ['fsopen', 430, 430],
  ['kexec_load', 246, 104],
  ['init_module', 175, 105],
  ['reboot', 169, 142],
  ['swapon', 167, 224],
  ['sethostname', 170, 161],
  ['pidfd_getfd', 438, 438],
  ['chroot', 161, 51],
  ['syslog', 103, 116],
  ['settimeofday', 164, 170],
  ['acct', 163, 89],
  ['fanotify_init', 300, 262],
  ['name_to_handle_at', 303, 264],
  ['kcmp', 312, 272],
  ['process_vm_writev', 311, 271],
  ['quotactl', 179, 60],
  ['move_pages', 279, 239],
  ['finit_module', 313, 273],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['mount_setattr', 442, 442],
  ['memfd_secret', 447, 447],
];

const CALL = `import ctypes, errno
libc=ctypes.CDLL(None, use_errno=True)
def call(number,*args):
  ctypes.set_errno(0); libc.syscall(number,*args); return errno.errorcode.get(ctypes.get_errno(),"OK")
`;

export function describePrivileges(bench: Bench): void {
  describe('privileges', () => {
    it('has no capability, no way to gain one, and a system call filter', async () => {
      const { output } = await bench.shell(
        'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status | tr -d "\\t"',
      );
      expect(output.trim().split('\n')).toEqual([
        ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => `${name}:0000000000000000`),
        'NoNewPrivs:1',
        'Seccomp:2',
      ]);
    });

    it('is denied the system calls that open ways out', async () => {
      const index = process.arch === 'arm64' ? 2 : 1;
      const script = DENIED_CALLS.map(
        (entry) => `print("${entry[0]}", call(${entry[index]},0,0,0,0,0,0))`,
      ).join('\n');
      const { output } = await bench.python(CALL + script);
      expect(output.trim().split('\n')).toEqual(DENIED_CALLS.map(([name]) => `${name} EPERM`));
    });

    it('cannot make namespaces, packet sockets or sockets of other families', async () => {
      const clone = process.arch === 'arm64' ? 220 : 56;
      const script = `import socket
print(call(${clone},0x10000000|17,0,0,0,0), call(435,0,0))
for family,kind,protocol in ((17,3,0),(16,3,0),(2,3,1),(40,1,0),(38,5,0),(31,3,0)):
  try: socket.socket(family,kind,protocol); print("opened",family)
  except OSError as e: print(family, errno.errorcode[e.errno])`;
      const { output } = await bench.python(CALL + script);
      const lines = output.trim().split('\n');
      expect(lines[0]).toBe('EPERM ENOSYS');
      // Netlink answers questions about the instance's own network; all else is refused.
      expect(lines.slice(1).filter((line) => line !== 'opened 16')).toEqual([
        '17 EPERM',
        '2 EPERM',
        '40 EPERM',
        '38 EPERM',
        '31 EPERM',
      ]);
    });

    it('gains nothing from programs with the set-user-id bit', async () => {
      const script = `import os, stat, subprocess
print("set-user-id" if os.stat("/usr/bin/mount").st_mode & stat.S_ISUID else "plain")
print(subprocess.run(["/usr/bin/mount","-t","tmpfs","none","/tmp"],stderr=subprocess.DEVNULL).returncode != 0)
try: os.setuid(0); print("root")
except OSError: print("refused")`;
      const { output } = await bench.python(script);
      expect(output).toBe('set-user-id\nTrue\nrefused\n');
    });

    it('maps its root to an unprivileged user of the host', async () => {
      if (!bench.driver.capabilities().userNamespace) return;
      const { output } = await bench.shell('cat /proc/self/uid_map');
      const [inside, host, count] = output.trim().split(/\s+/).map(Number);
      expect(inside).toBe(0);
      expect(host).toBeGreaterThanOrEqual(65_536);
      expect(count).toBeLessThanOrEqual(65_536);
    });
  });
}
