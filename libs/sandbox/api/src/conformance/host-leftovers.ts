import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const readText = (path: string) => readFile(path, 'utf8').catch(() => '');
const list = (path: string) => readdir(path).catch(() => [] as string[]);

/** Processes, mounts, cgroups, network namespaces and folders of an owner on a Linux host: all carry `openscf-<owner>`. */
export async function hostLeftovers(owner: string): Promise<string[]> {
  const name = `openscf-${owner}`;
  const found: string[] = [];
  for (const pid of (await list('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const texts = await Promise.all([readText(`/proc/${pid}/cmdline`), readText(`/proc/${pid}/cgroup`)]);
    const isZombie = /^State:\s+Z/m.test(await readText(`/proc/${pid}/status`));
    if (!isZombie && texts.some((text) => text.includes(name))) found.push(`process ${pid} ${texts[0]}`);
  }
  for (const line of (await readText('/proc/self/mountinfo')).split('\n'))
    if (line.includes(name)) found.push(`mount ${line}`);
  for (const namespace of await list('/run/netns'))
    if (namespace.startsWith(name)) found.push(`namespace ${namespace}`);
  const hierarchies = ['', ...(await list('/sys/fs/cgroup'))];
  for (const hierarchy of hierarchies)
    for (const entry of await list(join('/sys/fs/cgroup', hierarchy)))
      if (entry === name)
        found.push(
          `cgroup ${hierarchy}/${entry}`,
          ...(await list(join('/sys/fs/cgroup', hierarchy, entry)))
            .filter((sub) => sub.startsWith('test-'))
            .map((sub) => `cgroup ${hierarchy}/${entry}/${sub}`),
        );
  for (const folder of ['/run', '/var/tmp'])
    for (const entry of await list(folder)) if (entry === name) found.push(`folder ${folder}/${entry}`);
  for (const device of (await list('/sys/block')).filter((entry) => entry.startsWith('loop')))
    if ((await readText(`/sys/block/${device}/loop/backing_file`)).includes(name))
      found.push(`device ${device}`);
  return found;
}
