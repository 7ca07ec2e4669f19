import { readdirSync, readFileSync } from 'node:fs';

/** The proportional set size of all processes that are wanted, in bytes: shared pages count once between their users. */
export function proportionalBytes(wanted: (pid: number, cgroups: string) => boolean): number {
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!wanted(Number(name), readFileSync(`/proc/${name}/cgroup`, 'utf8'))) continue;
      const [, kilobytes = '0'] =
        /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${name}/smaps_rollup`, 'utf8')) ?? [];
      sum += Number(kilobytes) * 1024;
    } catch {
      // It ended while we looked.
    }
  }
  return sum;
}
