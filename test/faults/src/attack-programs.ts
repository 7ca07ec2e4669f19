/** Functions that attack (scenario 19). Each is harmless with the event `{ "ok": true }`, to see that it works afterwards. */

/** What the bodies use. The channel's descriptor is found as any program in the instance can find it. */
const TOOLS = `
const fs = require('fs');
const { spawn, spawnSync } = require('child_process');
const forever = () => new Promise(() => setInterval(() => {}, 1000));
const sockets = () => fs.readdirSync('/proc/self/fd').map(Number).filter((fd) => {
  try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
});
const frame = (kind, stream, head, body = Buffer.alloc(0)) => {
  const start = Buffer.alloc(13);
  start.writeUInt32BE(9 + head.length + body.length, 0);
  start[4] = kind;
  start.writeUInt32BE(stream, 5);
  start.writeUInt32BE(head.length, 9);
  return Buffer.concat([start, Buffer.from(head), body]);
};
const write = (bytes) => {
  const [channel] = sockets();
  for (let at = 0; at < bytes.length;) {
    try { at += fs.writeSync(channel, bytes, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
  }
};
const answer = (body) => write(frame(6, 1, '{}', Buffer.from(body)));
const fill = (file) => {
  const block = Buffer.alloc(1 << 20, 1);
  let megabytes = 0;
  try {
    const fd = fs.openSync(file, 'w');
    try { for (; megabytes < 1024; megabytes += 1) fs.writeSync(fd, block); } finally { fs.closeSync(fd); }
  } catch (error) { return [megabytes, error.code]; }
  return [megabytes, ''];
};
`;

/** A Node.js function around an attack. */
export function attack(body: string): string {
  return `${TOOLS}
exports.main_handler = async (event, context) => {
  if (event.ok) return 'fine';
  ${body}
};`;
}

export interface Attack {
  readonly what: string;
  readonly body: string;
  readonly seconds?: number;
  /** SCF's status codes that it may end with: 0 is a result. Which of several the kernel decides. */
  readonly statusCodes: readonly number[];
  readonly message: RegExp;
  /** Characters of the answer. */
  readonly length?: number;
}

const TIMED_OUT = /^Invoking task timed out after \d seconds?$/;
const EXITED = /^User process exit when running/;
const MEMORY = /^MemoryLimitReached: the function needs more than its 128 MB/;
const SOME_END = new RegExp([TIMED_OUT, EXITED, MEMORY].map(({ source }) => source).join('|'));

/** They take all they can for as long as they may. */
export const GREEDY: readonly Attack[] = [
  {
    what: 'bombs with processes',
    body: `spawn('/bin/bash', ['-c', 'f() { f | f & }; while :; do f; done'], { stdio: 'ignore' }); await forever();`,
    statusCodes: [433, 434, 439],
    message: SOME_END,
  },
  {
    what: 'eats memory with its children',
    body: `for (let n = 0; n < 4; n += 1)
        spawn(process.execPath, ['-e', 'const all = []; for (;;) all.push(Buffer.alloc(4e6, 1));']);
      await forever();`,
    statusCodes: [433, 434, 439],
    message: SOME_END,
  },
  {
    what: 'spins on every processor',
    body: `for (let n = 0; n < 16; n += 1) spawn('/bin/bash', ['-c', 'while :; do :; done']);
      for (;;);`,
    statusCodes: [433],
    message: TIMED_OUT,
  },
  {
    what: 'prints empty lines without end',
    body: `for (;;) fs.writeSync(1, '\\n'.repeat(65536));`,
    statusCodes: [433],
    message: TIMED_OUT,
  },
  {
    what: 'prints a line without end',
    body: `for (;;) fs.writeSync(1, 'x'.repeat(65536));`,
    statusCodes: [433],
    message: TIMED_OUT,
  },
  {
    what: 'sends frames without end',
    body: `const flood = Buffer.concat(Array.from({ length: 4096 }, () => frame(99, 7, '{}')));
      for (;;) write(flood);`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'fills its disk without end',
    body: `for (;;) fill('/tmp/fill');`,
    statusCodes: [433],
    message: TIMED_OUT,
  },
].map((each) => ({ ...each, seconds: 3 }));

/** They break what is between them and the platform. */
export const UNRULY: readonly Attack[] = [
  {
    what: 'ignores signals',
    body: `for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {}); await forever();`,
    seconds: 1,
    statusCodes: [433],
    message: TIMED_OUT,
  },
  {
    what: 'closes its channel',
    body: `sockets().forEach((fd) => fs.closeSync(fd)); await forever();`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'kills its bootstrap',
    body: `process.kill(process.pid, 'SIGKILL'); await forever();`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'kills everything that it sees',
    body: `spawnSync('/bin/bash', ['-c', 'kill -9 -1; kill -9 1']); await forever();`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'answers twice, and the next request too',
    // In one write: what comes after the next request has begun is an answer to it, and the function's own matter.
    body: `write(Buffer.concat([['"first"', 1], ['"second"', 1], ['"the next"', 2]].map(
      ([text, stream]) => frame(6, stream, '{}', Buffer.from(text))))); return 'third';`,
    statusCodes: [0],
    message: /^"first"$/,
  },
  {
    what: 'sends what is no answer',
    body: `write(frame(99, 1, '{}')); await forever();`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'sends what is no frame',
    body: `write(Buffer.alloc(64, 0xff)); await forever();`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'reports an error that cannot be read',
    body: `write(frame(7, 1, '['.repeat(500_000))); await forever();`,
    statusCodes: [430],
    message: /cannot be read/,
  },
  {
    what: 'answers with 6 MB',
    body: `return 'x'.repeat(6 * 1024 * 1024 - 2);`,
    statusCodes: [0],
    message: /^"xxx/,
    length: 6 * 1024 * 1024,
  },
  {
    what: 'answers with a byte more',
    body: `return 'x'.repeat(6 * 1024 * 1024 - 1);`,
    statusCodes: [407],
    message: /^the response is larger than 6 MB: 6291457 bytes$/,
  },
  {
    what: 'sends a larger answer past its bootstrap',
    body: `answer('"' + 'x'.repeat(7e6) + '"'); await forever();`,
    statusCodes: [407],
    message: /^the response is larger than 6 MB: 7000002 bytes$/,
  },
  {
    what: 'sends an answer that no frame may carry',
    body: `const start = frame(6, 1, '{}'); start.writeUInt32BE(2 ** 31, 0); write(start); write(Buffer.alloc(1e7)); await forever();`,
    statusCodes: [439],
    message: EXITED,
  },
  {
    what: 'returns what is nested too deep',
    body: `let deep = []; for (let n = 0; n < 1e6; n += 1) deep = [deep]; return deep;`,
    statusCodes: [430],
    message: /cannot be encoded as JSON/,
  },
  {
    what: 'sends deep JSON past its bootstrap',
    body: `answer('['.repeat(1e6) + ']'.repeat(1e6)); await forever();`,
    statusCodes: [0],
    message: /^\[\[\[/,
    length: 2e6,
  },
  {
    what: 'answers and prints what is not UTF-8',
    body: `const bytes = Buffer.from([0x22, 0xff, 0xc3, 0x28, 0x22]);
      fs.writeSync(1, Buffer.concat([bytes, Buffer.from('\\n')])); answer(bytes); await forever();`,
    statusCodes: [0],
    message: /^"\ufffd\ufffd\("$/,
  },
];

/** Writes wherever it can: megabytes that it could write, and why no more. */
export const FILLS_DISKS = attack(`
  const folders = ['/', '/opt', '/var/user', '/var/tmp', '/var/runtime', '/var/lang', '/run', '/run/openscf', '/etc', '/home/qcloud',
    '/dev', '/proc', '/sys/fs/cgroup', '/var/cache/openscf', '/usr/bin'];
  const elsewhere = folders.map((folder) => [folder, ...fill(folder + '/fill')]).filter(([, , why]) => !/EROFS|EACCES|ENOENT|EPERM/.test(why));
  const tmp = fill('/tmp/fill');
  fs.rmSync('/tmp/fill');
  return { elsewhere, tmp };`);

/** Python functions that return what they got, which should be nothing. */
const PYTHON_TOOLS = `import concurrent.futures, ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
got = []
def attempt(name, action):
    try:
        result = action()
    except OSError:
        return
    if result != -1:
        got.append(f"{name}: {result}")
`;

/** Ways to more rights. Numbers of system calls are those of x86-64. */
export const ESCALATES = `${PYTHON_TOOLS}
def main_handler(event, context):
    got.clear()
    call = lambda number, *a: libc.syscall(ctypes.c_long(number), *a)
    attempt("raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno())
    attempt("packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3).fileno())
    attempt("mount tmpfs", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
    attempt("mount proc", lambda: libc.mount(b"proc", b"/tmp", b"proc", 0, None))
    attempt("remount root", lambda: libc.mount(None, b"/", None, 32, None))
    attempt("umount", lambda: libc.umount2(b"/proc", 2))
    attempt("ptrace attach", lambda: libc.ptrace(16, 1, None, None))
    attempt("ptrace parent", lambda: libc.ptrace(16, os.getppid(), None, None))
    attempt("setuid", lambda: os.setuid(0))
    attempt("setresuid", lambda: os.setresuid(0, 0, 0))
    attempt("setgroups", lambda: os.setgroups([0]))
    attempt("chroot", lambda: os.chroot("/tmp"))
    attempt("unshare", lambda: libc.unshare(0x10000000 | 0x00020000))
    attempt("setns", lambda: libc.setns(os.open("/proc/1/ns/net", os.O_RDONLY), 0))
    attempt("mknod", lambda: os.mknod("/tmp/disk", 0o060666, os.makedev(8, 0)))
    attempt("hostname", lambda: socket.sethostname("mine"))
    for name, number in (("bpf", 321), ("keyctl", 250), ("perf_event_open", 298), ("init_module", 175), ("reboot", 169), ("swapon", 167),
                         ("pivot_root", 155), ("io_uring_setup", 425), ("userfaultfd", 323), ("clock_settime", 227), ("open_by_handle_at", 304)):
        attempt(name, lambda: call(number, 0, 0, 0, 0, 0))
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/oom_score_adj", "/sys/fs/cgroup/memory.max", "/dev/mem"):
        attempt(path, lambda: os.write(os.open(path, os.O_WRONLY), b"-1000"))
    return got
`;

/** Looks into everything that it can read for marks (given backwards, so that it does not find its own event) and for processes. */
export const LOOKS_AROUND = `${PYTHON_TOOLS}
SMALL = 1 << 20
def files():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("environ", "cmdline", "mountinfo", "cgroup", "maps"):
            yield f"/proc/{pid}/{name}"
    for top in ("/run", "/tmp", "/dev/shm", "/root", "/home", "/var/tmp", "/var/cache", "/var/lib", "/opt", "/mnt", "/srv", "/etc"):
        for folder, _, names in os.walk(top):
            yield from (os.path.join(folder, name) for name in names)
def main_handler(event, context):
    got.clear()
    marks = [mark[::-1].encode() for mark in event["marks"]]
    for path in files():
        try:
            if not os.path.isfile(path): continue
            with open(path, "rb") as file: text = file.read(SMALL)
        except OSError:
            continue
        got.extend(f"{path}: mark {n}" for n, mark in enumerate(marks) if mark in text)
    names = [open(f"/proc/{pid}/comm").read().strip() for pid in os.listdir("/proc") if pid.isdigit()]
    second = socket.socket(socket.AF_UNIX)
    attempt("a second channel", lambda: second.connect("/run/openscf/channel.sock"))
    return {"got": got, "processes": sorted(set(names))}
`;

/** Tries addresses and ports. */
export const REACHES_OUT = `${PYTHON_TOOLS}
def reach(target):
    host, port = target
    try:
        with socket.create_connection((host, port), timeout=2): return f"{host}:{port}"
    except OSError:
        return None
def main_handler(event, context):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        reached = list(filter(None, pool.map(reach, [(h, p) for h in event["hosts"] for p in event["ports"]])))
    routes = [line.split() for line in open("/proc/net/route")][1:]
    gateways = [socket.inet_ntoa(bytes.fromhex(route[2])[::-1]) for route in routes if route[1] == "00000000"]
    try: name = socket.gethostbyname("example.com")
    except OSError: name = None
    return {"reached": reached, "gateways": gateways, "name": name}
`;
