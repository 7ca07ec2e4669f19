import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Names that everything of one platform carries on its machine. */
export interface PlatformMarks {
  /** Its folder: in arguments, environments and mounts. */
  home: string;
  /** Its invoker's id, or what the ids of its invokers have in common: in the names of network namespaces, cgroups and state folders. */
  invokerId: string;
}

/** What is on the machine that belongs to the platform, one line for each. Empty when nothing is left. */
export async function leftovers(marks: PlatformMarks): Promise<string[]> {
  const found = await Promise.all([
    processes(marks),
    mounts(marks),
    namespaces(marks),
    cgroups(marks),
    folders(marks),
  ]);
  return found.flat();
}

/** Processes that were started with a mark in their arguments or environment, or that work in the home. */
async function processes({ home, invokerId }: PlatformMarks): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const [command, environment, folder] = await Promise.all([
      read(`/proc/${pid}/cmdline`),
      read(`/proc/${pid}/environ`),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ]);
    if ([command, environment, folder].some((text) => text.includes(home) || text.includes(invokerId))) {
      found.push(`process ${pid}: ${command.replaceAll('\0', ' ').trim()}`);
    }
  }
  return found;
}

async function mounts({ home, invokerId }: PlatformMarks): Promise<string[]> {
  const lines = (await read('/proc/self/mountinfo')).split('\n');
  return lines
    .filter((line) => line.includes(home) || line.includes(invokerId))
    .map((line) => `mount: ${line}`);
}

async function namespaces({ invokerId }: PlatformMarks): Promise<string[]> {
  const names = await readdir('/run/netns').catch(() => []);
  return names.filter((name) => name.includes(invokerId)).map((name) => `network namespace: ${name}`);
}

async function cgroups({ invokerId }: PlatformMarks): Promise<string[]> {
  const { stdout } = await run('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `*${invokerId}*`]).catch(
    // A cgroup of somebody else that goes while it is looked at.
    (error: unknown) =>
      typeof error === 'object' && error && 'stdout' in error
        ? { stdout: String(error.stdout) }
        : { stdout: '' },
  );
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((path) => `cgroup: ${path}`);
}

async function folders({ invokerId }: PlatformMarks): Promise<string[]> {
  const places = ['/run', '/dev/shm', tmpdir()];
  const found = await Promise.all(
    places.map(async (place) => {
      const names = await readdir(place).catch(() => []);
      return names.filter((name) => name.includes(invokerId)).map((name) => `folder: ${place}/${name}`);
    }),
  );
  return found.flat();
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
