import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { killAndRemoveCgroup, killProcess } from './cgroup.js';
import { NETWORK_NAMESPACES, type DriverPaths } from './driver-paths.js';
import { hostCommand, ipBatch } from './host-command.js';
import { SpawningHost } from './spawning.host.js';

/**
 * Removes everything that carries the owner's name. The order matters: first who could make something new (runc in mid-start,
 * relays), then the sandboxes, then what they held.
 */
export async function removeEverything(paths: DriverPaths): Promise<void> {
  await killHelpers(paths);
  await killAndRemoveCgroup(paths.cgroup);
  await unmountBelow(paths.state);
  await removeNamespaces(paths);
  await rm(paths.state, { recursive: true, force: true });
}

/** Programs that were started with the owner's state directory or router as an argument. */
async function killHelpers(paths: DriverPaths): Promise<void> {
  const marks = [paths.runcRoot, paths.state, join(NETWORK_NAMESPACES, paths.router)];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const isOurs = text.split('\0').some((argument) => marks.includes(argument));
    if (isOurs && Number(pid) !== process.pid) killProcess(Number(pid));
  }
}

/** Mount points below a folder, the innermost first. */
export function mountPointsBelow(folder: string, mountInfo: string): string[] {
  const points = mountInfo.split('\n').map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${folder}/`)).reverse();
}

export async function unmountBelow(folder: string): Promise<void> {
  for (const point of mountPointsBelow(folder, await readFile('/proc/self/mountinfo', 'utf8')))
    await hostCommand('umount', ['--lazy', point]);
}

async function removeNamespaces(paths: DriverPaths): Promise<void> {
  const names = await readdir(NETWORK_NAMESPACES).catch(() => []);
  const ours = names.filter((name) => paths.isNetworkNamespace(name));
  if (ours.length > 0)
    await ipBatch(
      new SpawningHost(),
      ours.map((name) => `netns del ${name}`),
    );
}
