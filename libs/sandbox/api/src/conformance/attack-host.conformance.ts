import { describe, expect, it } from 'vitest';
import { shellCommand, type Bench } from './harness.conformance.js';

/** What /proc tells of the host beyond what programs need (`/proc/meminfo`, `/proc/stat` and their like stay readable). */
const TELLING_FILES = [
  ...[
    'kcore',
    'keys',
    'key-users',
    'timer_list',
    'sched_debug',
    'kallsyms',
    'modules',
    'partitions',
    'diskstats',
  ],
  ...[
    'cmdline',
    'config.gz',
    'iomem',
    'ioports',
    'interrupts',
    'softirqs',
    'kmsg',
    'slabinfo',
    'vmallocinfo',
  ],
  ...['kpagecount', 'kpageflags', 'kpagecgroup', 'buddyinfo', 'zoneinfo', 'pagetypeinfo', 'consoles', 'mtrr'],
];

/** Settings of the kernel that would change the host, or let a program out, when they could be written. */
const SETTINGS = [
  ...['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sys/vm/drop_caches'],
  ...['/proc/sys/net/ipv4/ip_forward', '/proc/sys/fs/binfmt_misc/register', '/proc/sysrq-trigger'],
  ...['/proc/self/uid_map', '/proc/self/setgroups', '/proc/1/attr/current'],
];

const REPORT = `import os
def attempt(name, action):
  try: print(name, action())
  except OSError: pass
`;

/** Each attack prints only what it got. */
export function describeAttacksOnHost(bench: Bench): void {
  describe('a function that attacks the host', () => {
    it('learns nothing of it from /proc, /sys and the kernel log', async () => {
      const script = `${REPORT}
for name in ${JSON.stringify(TELLING_FILES)}:
  attempt(name, lambda: open("/proc/"+name,"rb").read(64) or exec("raise OSError"))
for folder in ("/sys/kernel/security","/sys/fs/cgroup","/sys/class/net","/proc/scsi","/proc/acpi"):
  attempt(folder, lambda: [f for f in os.listdir(folder) if os.access(folder+"/"+f, os.W_OK)] or exec("raise OSError"))
print(sorted(set(line.split(":",2)[2].strip() for line in open("/proc/self/cgroup"))))`;
      const { output } = await bench.python(script);
      expect(output).toBe("['/']\n");
    });

    it('finds no device of it, and makes none', async () => {
      const script = `${REPORT}
import stat
nodes=[os.path.join(folder,name) for folder,_,names in os.walk("/dev") for name in names]
kinds=[(path, os.lstat(path)) for path in nodes]
print([path for path,s in kinds if stat.S_ISBLK(s.st_mode)])
print([path for path,s in kinds if stat.S_ISCHR(s.st_mode) and os.major(s.st_rdev) not in (1,5,136)])
for major,minor,kind in ((1,1,stat.S_IFCHR),(1,11,stat.S_IFCHR),(254,0,stat.S_IFBLK),(8,0,stat.S_IFBLK)):
  attempt("made", lambda: os.mknod("/tmp/node",kind|0o666,os.makedev(major,minor)))
for path in ("/dev/mem","/dev/kmsg","/dev/port","/dev/fuse","/dev/kvm","/dev/net/tun","/dev/loop0","/dev/vda","/dev/sda"):
  attempt(path, lambda: os.open(path, os.O_RDONLY))`;
      const { output } = await bench.python(script);
      expect(output).toBe('[]\n[]\n');
    });

    it('changes no setting of the kernel, and not how it is judged when memory is short', async () => {
      const script = `${REPORT}
for path in ${JSON.stringify(SETTINGS)}:
  attempt(path, lambda: os.write(os.open(path, os.O_WRONLY), b"1"))
attempt("oom", lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"))
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))`;
      const { output } = await bench.python(script);
      expect(output).toBe('');
    });

    it('finds no way out of its root', async () => {
      const script = `${REPORT}
own=os.stat("/")
for path in ("/..","/proc/1/root","/proc/1/cwd/../../..","/proc/self/root/.."):
  attempt(path, lambda: None if os.path.samestat(os.stat(path),own) else "another root")
os.symlink("/../../../root/.ssh","/tmp/out")
attempt("link", lambda: os.listdir("/tmp/out"))
attempt("chroot", lambda: os.chroot("/tmp"))
for fd in os.listdir("/proc/1/fd"):
  attempt("descriptor", lambda: None if os.readlink("/proc/1/fd/"+fd).startswith(("/dev/null","pipe:","socket:","anon_inode:","/run/openscf/output")) else os.readlink("/proc/1/fd/"+fd))`;
      const { output } = await bench.python(script);
      expect(output.split('\n').filter((line) => line && !line.endsWith(' None'))).toEqual([]);
    });

    it('sees in its own mounts nothing of other sandboxes', async () => {
      const other = await bench.create({
        command: shellCommand('echo up; sleep 1000'),
        lateTargets: ['/opt'],
      });
      await new Promise((resolve) => other.output.once('data', resolve));
      const { output } = await bench.shell('cat /proc/self/mountinfo /proc/self/mounts');
      await other.destroy();
      expect(output.split('\n').filter((line) => new RegExp(`/${other.id}(/|$| )`).test(line))).toEqual([]);
    });
  });
}
