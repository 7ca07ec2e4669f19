import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node.js runs on

interface Stat {
  parent: number;
  cpuSeconds: number;
  cgroups: string;
}

function readStat(pid: string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const own = Number(fields[11]) + Number(fields[12]);
    const cgroups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    return { parent: Number(fields[1]), cpuSeconds: own / TICKS_PER_SECOND, cgroups };
  } catch {
    return undefined; // it ended while we looked
  }
}

/**
 * CPU seconds, user and system, that the processes below `roots` (and these) have used so far and are still alive to tell;
 * with `cgroup`, also of those whose cgroup's path contains it: an instance is no child of the invoker.
 */
export function cpuSeconds(roots: number[], cgroup?: string): number {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    if (stat) stats.set(Number(name), stat);
  }
  const wanted = new Set(roots);
  let sum = 0;
  for (const [pid, stat] of stats) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && ancestor > 1 && !wanted.has(ancestor))
      ancestor = stats.get(ancestor)?.parent;
    const isBelow = ancestor !== undefined && wanted.has(ancestor);
    if (isBelow || (cgroup && stat.cgroups.includes(cgroup))) sum += stat.cpuSeconds;
  }
  return sum;
}

/** CPU milliseconds, user and system, of all children of this process that have ended and been waited for. */
export function childrenCpuMs(): number {
  const text = readFileSync('/proc/self/stat', 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND) * 1_000;
}
