import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SandboxError, type SandboxLimits } from '@openscf/sandbox-api';
import { WRITE_BYTES_PER_SECOND } from './write-rate.js';

const ROOT = '/sys/fs/cgroup';
const MB = 1024 * 1024;
const CPU_PERIOD_US = 100_000;
/** The kernel frees a cgroup some moments after its last process; slow machines need the longer waits. */
const REMOVE_WAITS_MS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

export interface CgroupReading {
  memoryBytes: number;
  cpuMs: number;
}

/** One sandbox's cgroup, in version 2 or in the hierarchies of version 1 (hybrid hosts count as version 1). */
export interface Cgroup {
  read(): Promise<CgroupReading>;
  oomKills(): Promise<number>;
  setLimits(limits: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>): Promise<void>;
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** Version 2 when the whole tree is one hierarchy. */
export async function cgroupVersion(): Promise<1 | 2> {
  return (await exists(join(ROOT, 'cgroup.controllers'))) ? 2 : 1;
}

export function openCgroup(version: 1 | 2, path: string): Cgroup {
  return version === 2 ? new CgroupV2(path) : new CgroupV1(path);
}

async function statFields(file: string): Promise<Map<string, number>> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [name = '', value = '0'] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}

function cpuMax(cpus: number | undefined): number {
  return cpus === undefined ? -1 : Math.round(cpus * CPU_PERIOD_US);
}

/** `memoryBytes` is what the instance itself holds (anonymous and /tmp); cached pages of shared files are not its own. */
class CgroupV1 implements Cgroup {
  constructor(private readonly path: string) {}

  async read(): Promise<CgroupReading> {
    const [memory, cpu] = await Promise.all([
      statFields(join(ROOT, 'memory', this.path, 'memory.stat')),
      readFile(join(ROOT, 'cpuacct', this.path, 'cpuacct.usage'), 'utf8'),
    ]);
    return { memoryBytes: (memory.get('rss') ?? 0) + (memory.get('shmem') ?? 0), cpuMs: Number(cpu) / 1e6 };
  }

  async oomKills(): Promise<number> {
    const fields = await statFields(join(ROOT, 'memory', this.path, 'memory.oom_control'));
    return fields.get('oom_kill') ?? 0;
  }

  async setLimits({ memoryMb, cpuShares, cpus }: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>) {
    const write = (controller: string, file: string, value: number) =>
      writeFile(join(ROOT, controller, this.path, file), String(value));
    const limitMemory = async (memory: number) => {
      // Memory with swap may never be below memory: which to write first depends on the direction, so one try may fail.
      await write('memory', 'memory.memsw.limit_in_bytes', memory).catch(() => undefined);
      await write('memory', 'memory.limit_in_bytes', memory);
      await write('memory', 'memory.memsw.limit_in_bytes', memory).catch(ignoreMissing);
    };
    await Promise.all([
      limitMemory(memoryMb * MB),
      write('cpu', 'cpu.shares', cpuShares),
      write('cpu', 'cpu.cfs_quota_us', cpuMax(cpus)),
    ]);
  }
}

/** Kernels without swap accounting have no such file. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

class CgroupV2 implements Cgroup {
  private readonly folder: string;

  constructor(path: string) {
    this.folder = join(ROOT, path);
  }

  async read(): Promise<CgroupReading> {
    const [memory, cpu] = await Promise.all([
      statFields(join(this.folder, 'memory.stat')),
      statFields(join(this.folder, 'cpu.stat')),
    ]);
    const memoryBytes = (memory.get('anon') ?? 0) + (memory.get('shmem') ?? 0);
    return { memoryBytes, cpuMs: (cpu.get('usage_usec') ?? 0) / 1000 };
  }

  async oomKills(): Promise<number> {
    return (await statFields(join(this.folder, 'memory.events'))).get('oom_kill') ?? 0;
  }

  async setLimits({ memoryMb, cpuShares, cpus }: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>) {
    const quota = cpus === undefined ? 'max' : String(cpuMax(cpus));
    await Promise.all([
      writeFile(join(this.folder, 'memory.max'), String(memoryMb * MB)),
      writeFile(join(this.folder, 'cpu.weight'), String(weightOfShares(cpuShares))),
      writeFile(join(this.folder, 'cpu.max'), `${quota} ${CPU_PERIOD_US}`),
    ]);
  }
}

/** Shares 2 to 262,144 onto weights 1 to 10,000, by the formula of the OCI runtimes. */
export function weightOfShares(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

/** How the launcher makes a cgroup: folders, then files in this order, of which the optional ones may be missing. */
export interface CgroupPlan {
  folders: string[];
  files: [path: string, text: string][];
  optional: string[];
}

/** The hierarchies of version 1 that a sandbox needs a group of its own in. */
const CONTROLLERS_V1 = ['memory', 'cpu', 'cpuacct', 'pids', 'devices'];
/** null, zero, full, random, urandom, tty; the instance could open others only if there were any. */
const DEVICES = ['1:3', '1:5', '1:7', '1:8', '1:9', '5:0'];

export function cgroupPlan(
  version: 1 | 2,
  path: string,
  limits: SandboxLimits,
  tmpDevice?: string,
): CgroupPlan {
  const { memoryMb, cpuShares, cpus, pids } = limits;
  const memory = String(memoryMb * MB);
  if (version === 2) {
    const file = (name: string) => join(ROOT, path, name);
    const quota = cpus === undefined ? 'max' : String(cpuMax(cpus));
    const writeRule = `${tmpDevice} wbps=${WRITE_BYTES_PER_SECOND}`;
    return {
      folders: [join(ROOT, path)],
      files: [
        [file('memory.max'), memory],
        [file('memory.swap.max'), '0'],
        [file('cpu.weight'), String(weightOfShares(cpuShares))],
        [file('cpu.max'), `${quota} ${CPU_PERIOD_US}`],
        [file('pids.max'), String(pids)],
        ...(tmpDevice ? [[file('io.max'), writeRule] satisfies [string, string]] : []),
      ],
      optional: [file('memory.swap.max'), file('io.max')],
    };
  }
  const file = (controller: string, name: string) => join(ROOT, controller, path, name);
  return {
    folders: CONTROLLERS_V1.map((controller) => join(ROOT, controller, path)),
    files: [
      [file('memory', 'memory.limit_in_bytes'), memory],
      [file('memory', 'memory.memsw.limit_in_bytes'), memory],
      [file('cpu', 'cpu.shares'), String(cpuShares)],
      [file('cpu', 'cpu.cfs_period_us'), String(CPU_PERIOD_US)],
      [file('cpu', 'cpu.cfs_quota_us'), String(cpuMax(cpus))],
      [file('pids', 'pids.max'), String(pids)],
      [file('devices', 'devices.deny'), 'a'],
      ...DEVICES.map((device): [string, string] => [file('devices', 'devices.allow'), `c ${device} rw`]),
    ],
    optional: [file('memory', 'memory.memsw.limit_in_bytes')],
  };
}

/** What a process, or a group beside it, weighs by default. */
const DEFAULT_SHARES = 1024;

/** What all sandboxes together weigh for each core, beside a process: measured, see ADR 11. */
const WEIGHT_PER_CORE = 0.5;

/** Makes the group that holds all sandboxes of an owner, and gives it its weight: without it they would weigh as much as one process. */
export async function openOwnerGroup(version: 1 | 2, path: string): Promise<void> {
  const shares = DEFAULT_SHARES * WEIGHT_PER_CORE * availableParallelism();
  if (version === 1) {
    for (const controller of CONTROLLERS_V1) await mkdir(join(ROOT, controller, path), { recursive: true });
    return writeFile(join(ROOT, 'cpu', path, 'cpu.shares'), String(shares));
  }
  await mkdir(join(ROOT, path), { recursive: true });
  for (const folder of [ROOT, join(ROOT, path)])
    for (const controllers of ['+cpu +memory +pids', '+io'])
      await writeFile(join(folder, 'cgroup.subtree_control'), controllers).catch(() => undefined);
  // Only where the controller is handed down.
  await writeFile(join(ROOT, path, 'cpu.weight'), String(weightOfShares(shares))).catch(ignoreMissing);
}

/** The folders of a cgroup path, in every hierarchy of the host. */
export async function cgroupFolders(path: string): Promise<string[]> {
  if ((await cgroupVersion()) === 2) return [join(ROOT, path)];
  const hierarchies = await readdir(ROOT, { withFileTypes: true });
  return hierarchies.filter((entry) => entry.isDirectory()).map(({ name }) => join(ROOT, name, path));
}

/** Kills all processes of a cgroup and of those below it, and removes them, in every hierarchy. */
export async function killAndRemoveCgroup(path: string): Promise<void> {
  await Promise.all((await cgroupFolders(path)).map(removeFolder));
}

async function removeFolder(folder: string): Promise<void> {
  for (const wait of REMOVE_WAITS_MS) {
    if (wait > 0) await delay(wait);
    if (await tryRemove(folder)) return;
  }
  throw new SandboxError('start-failed', `The cgroup ${folder} cannot be removed: it still has processes`);
}

async function tryRemove(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await tryRemove(join(folder, entry.name));
  await killMembers(folder);
  return false;
}

async function killMembers(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of text.trim().split('\n').map(Number)) if (pid > 0) killProcess(pid);
}

/** SIGKILL; a process that is gone already is as good. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
