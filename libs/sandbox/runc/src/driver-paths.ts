import { join } from 'node:path';

/** Every name and place on the host that carries the owner's name. `recover` removes exactly these. */
export class DriverPaths {
  readonly state: string;
  /** runc's own state, one folder per container. */
  readonly runcRoot: string;
  readonly bundles: string;
  /** Read-only binds of root file systems, where the mapped root of an instance can reach them. */
  readonly roots: string;
  readonly fifos: string;
  /** A shared mount: what is mounted below it arrives in the sandboxes that hold a slave of it. One folder per sandbox. */
  readonly late: string;
  /** Mounts of the file systems behind `/tmp`. */
  readonly scratch: string;
  readonly lock: string;
  /** Name of the cgroup that holds the cgroups of all sandboxes, in every hierarchy. */
  readonly cgroup: string;
  readonly router: string;

  constructor(
    readonly owner: string,
    stateDirectory = `/run/openscf-${owner}`,
  ) {
    this.state = stateDirectory;
    this.runcRoot = join(stateDirectory, 'runc');
    this.bundles = join(stateDirectory, 'bundles');
    this.roots = join(stateDirectory, 'roots');
    this.fifos = join(stateDirectory, 'fifos');
    this.scratch = join(stateDirectory, 'scratch');
    this.late = join(stateDirectory, 'late');
    this.lock = join(stateDirectory, 'owner.json');
    this.cgroup = `openscf-${owner}`;
    this.router = `openscf-${owner}-r`;
  }

  networkNamespace(slot: number): string {
    return `openscf-${this.owner}-${slot}`;
  }

  isNetworkNamespace(name: string): boolean {
    return new RegExp(`^openscf-${this.owner}-(r|\\d+)$`).test(name);
  }
}

export const NETWORK_NAMESPACES = '/run/netns';
