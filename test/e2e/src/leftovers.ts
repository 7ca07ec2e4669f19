import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What is on the machine that belongs to the platform with this home, one line for each. Empty when nothing is left.
 * @param before what `sandboxTraces` said before the platform was started: another platform may run beside it
 */
export async function leftovers(home: string, before: readonly string[]): Promise<string[]> {
  const [own, left, traces] = await Promise.all([processes(home), mounts(home), sandboxTraces()]);
  return [...own, ...left, ...traces.filter((trace) => !before.includes(trace))];
}

/** Processes that were started with the home in their arguments or environment, or that work in it. */
async function processes(home: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const [command, environment, folder] = await Promise.all([
      read(`/proc/${pid}/cmdline`),
      read(`/proc/${pid}/environ`),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ]);
    if ([command, environment, folder].some((text) => text.includes(home))) {
      found.push(`process ${pid}: ${command.replaceAll('\0', ' ').trim()}`);
    }
  }
  return found;
}

async function mounts(home: string): Promise<string[]> {
  const lines = (await read('/proc/self/mountinfo')).split('\n');
  return lines.filter((line) => line.includes(home)).map((line) => `mount: ${line}`);
}

/** Named network namespaces, cgroups and state folders of the machine that look like ours. */
export async function sandboxTraces(): Promise<string[]> {
  const namespaces = await readdir('/run/netns').catch(() => []);
  const cgroups = await run('find', ['/sys/fs/cgroup', '-maxdepth', '4', '-type', 'd', '-name', '*openscf*'])
    .then(({ stdout }) => stdout.split('\n').filter(Boolean))
    .catch(() => []);
  const states = (await readdir('/run').catch(() => [])).filter((name) => name.startsWith('openscf'));
  return [
    ...namespaces.filter((name) => name.includes('openscf')).map((name) => `network namespace: ${name}`),
    ...cgroups.map((path) => `cgroup: ${path}`),
    ...states.map((name) => `state folder: /run/${name}`),
  ];
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
