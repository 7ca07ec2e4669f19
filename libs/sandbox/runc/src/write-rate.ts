import { readFile, stat, writeFile } from 'node:fs/promises';

/**
 * What one sandbox may write to its /tmp in the long run, in bytes a second. What it writes meanwhile is in memory, so that a file is as
 * fast as ever; who fills /tmp again and again would otherwise take the disk, and a virtual machine's processors with it, from all others.
 */
export const WRITE_BYTES_PER_SECOND = 256 * 1024 * 1024;

/** Version 1 of the cgroups writes pages back in the name of the root group, so that only a rule there holds for them. */
const RULES = '/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device';
const LOOP_MAJOR = 7;

/** `7:3`, the device of the file system that holds a folder. */
export async function deviceOf(folder: string): Promise<string> {
  const { dev } = await stat(folder);
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
}

/** Where there are cgroups of version 2 the rule is in the sandbox's own group; hosts without either have none. */
export async function limitWrites(device: string): Promise<void> {
  await writeRule(device, WRITE_BYTES_PER_SECOND);
}

/** The device's next owner starts without. */
export async function unlimitWrites(device: string): Promise<void> {
  await writeRule(device, 0);
}

/** Rules of loop devices that nobody uses: their invoker was killed. */
export async function removeStaleRules(): Promise<void> {
  const rules = await readFile(RULES, 'utf8').catch(() => '');
  for (const device of staleCandidates(rules)) if (!(await isInUse(device))) await unlimitWrites(device);
}

export function staleCandidates(rules: string): string[] {
  return rules
    .split('\n')
    .map((rule) => rule.split(' '))
    .filter(
      ([device, bytes]) => device?.startsWith(`${LOOP_MAJOR}:`) && Number(bytes) === WRITE_BYTES_PER_SECOND,
    )
    .map(([device]) => device ?? '');
}

async function isInUse(device: string): Promise<boolean> {
  return readFile(`/sys/dev/block/${device}/loop/backing_file`).then(
    () => true,
    () => false,
  );
}

async function writeRule(device: string, bytesPerSecond: number): Promise<void> {
  await writeFile(RULES, `${device} ${bytesPerSecond}`).catch(() => undefined);
}
