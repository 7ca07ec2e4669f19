import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Processes, mounts and cgroups of this host that carry one of the names, one line for each. */
export async function hostTraces(names: readonly string[]): Promise<string[]> {
  const carries = (text: string) => names.some((name) => text.includes(name));
  const found = await Promise.all([processes(carries), mounts(carries), cgroups(carries)]);
  return found.flat();
}

type Carries = (text: string) => boolean;

async function processes(carries: Carries): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const command = await read(`/proc/${pid}/cmdline`);
    if (carries(command) || carries(await read(`/proc/${pid}/cgroup`)))
      found.push(`process ${pid}: ${command.replaceAll('\0', ' ').trim()}`);
  }
  return found;
}

async function mounts(carries: Carries): Promise<string[]> {
  const lines = (await read('/proc/self/mountinfo')).split('\n');
  return lines.filter(carries).map((line) => `mount: ${line}`);
}

async function cgroups(carries: Carries): Promise<string[]> {
  // It fails when a cgroup of somebody else goes while it is looked at; what it has printed is right.
  const { stdout } = await promisify(execFile)('find', ['/sys/fs/cgroup', '-type', 'd']).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  return stdout
    .split('\n')
    .filter(carries)
    .map((path) => `cgroup: ${path}`);
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
