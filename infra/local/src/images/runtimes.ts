// The manifest of runtimes names folders of the machine that prepared them. In the image they lie elsewhere: this writes a
// manifest with the places as the container sees them into the invoker's own cache.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The parts of the manifest that name folders of the machine. */
interface Manifest {
  rootfs: string;
  agent?: string;
  launcher?: string;
  runtimes: { mounts: { source: string }[] }[];
}

const PREPARED = '/var/cache/openscf/runtimes';
const BOOTSTRAPS = '/opt/openscf/libs/runtimes';

const manifest = JSON.parse(readFileSync(join(PREPARED, 'runtimes.json'), 'utf8')) as Manifest;
const preparedThere = dirname(dirname(manifest.rootfs));
const here = (path: string) =>
  path.startsWith(`${preparedThere}/`)
    ? path.replace(preparedThere, PREPARED)
    : path.replace(/^.*\/libs\/runtimes(?=\/)/, BOOTSTRAPS);

manifest.rootfs = here(manifest.rootfs);
if (manifest.agent) manifest.agent = here(manifest.agent);
if (manifest.launcher) manifest.launcher = here(manifest.launcher);
for (const mount of manifest.runtimes.flatMap(({ mounts }) => mounts)) mount.source = here(mount.source);
const own = join(process.env['OPENSCF_CACHE'] ?? '/var/lib/openscf/cache', 'runtimes/runtimes.json');
mkdirSync(dirname(own), { recursive: true });
writeFileSync(own, JSON.stringify(manifest, undefined, 2));
