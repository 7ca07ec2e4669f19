import {
  HIDDEN_PATHS,
  INSTANCE_GID,
  INSTANCE_UID,
  PID_ONE_FILE,
  pidOneCommand,
  READ_ONLY_PATHS,
  RUN_DIRECTORY,
  seccompProfile,
} from '@openscf/sandbox-api';
import type { SandboxSpec } from '@openscf/sandbox-api';

/** What the driver adds to a specification. */
export interface ContainerPlaces {
  /** The root file system where the mapped root of the instance can reach it. */
  rootfs: string;
  /** The FIFO of the output, on the host. */
  fifo: string;
  /** What becomes /etc/hosts. */
  hosts: string;
  /** Below the root of each cgroup hierarchy. */
  cgroupPath: string;
  /** First user and group id of the range that the instance's ids 0 to 65,535 become on the host. */
  firstHostId: number;
  /** Host folders behind `lateTargets`, in the same order, below a shared mount. */
  lateFolders: readonly string[];
  /** A file system of its own that becomes `/tmp`; without it `/tmp` is in memory. */
  tmpFolder?: string;
  /** That file system's device, `7:3`. */
  tmpDevice?: string;
  /** Path of a ready network namespace; without it the instance gets an empty one. */
  networkNamespace?: string;
}

/** Ids of an instance: as many as Debian uses. */
export const IDS_PER_SANDBOX = 65_536;
const MB = 1024 * 1024;
const CPU_PERIOD_US = 100_000;

function mounts(spec: SandboxSpec, { fifo, hosts, lateFolders, tmpFolder }: ContainerPlaces) {
  const bind = (source: string, destination: string, readOnly: boolean, propagation = 'rprivate') => ({
    type: 'bind',
    source,
    destination,
    options: ['rbind', propagation, 'nosuid', 'nodev', readOnly ? 'ro' : 'rw'],
  });
  const tmpfs = (destination: string, ...options: string[]) => ({
    type: 'tmpfs',
    source: 'tmpfs',
    destination,
    options: ['nosuid', 'nodev', ...options],
  });
  return [
    { type: 'proc', source: 'proc', destination: '/proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      ...tmpfs('/dev', 'strictatime', 'mode=755', 'size=64k'),
      options: ['nosuid', 'strictatime', 'mode=755', 'size=64k'],
    },
    tmpfs('/dev/shm', 'noexec', 'mode=1777', 'size=64m'),
    tmpFolder ? bind(tmpFolder, '/tmp', false) : tmpfs('/tmp', 'mode=1777', `size=${spec.limits.tmpMb}m`),
    ...spec.mounts.map(({ source, target, readOnly }) => bind(source, target, readOnly)),
    ...(spec.lateTargets ?? []).map((target, index) =>
      bind(lateFolders[index] ?? '', target, true, 'rslave'),
    ),
    bind(hosts, '/etc/hosts', true),
    bind(spec.runDirectory, RUN_DIRECTORY, true),
    bind(fifo, `${RUN_DIRECTORY}/output`, false),
    ...(spec.pidOne ? [bind(spec.pidOne, `${RUN_DIRECTORY}/${PID_ONE_FILE}`, true)] : []),
  ];
}

function resources({ memoryMb, cpuShares, cpus, pids }: SandboxSpec['limits']) {
  return {
    memory: { limit: memoryMb * MB, swap: memoryMb * MB },
    cpu: {
      shares: cpuShares,
      ...(cpus && { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US }),
    },
    pids: { limit: pids },
    devices: [{ allow: false, access: 'rwm' }],
  };
}

/** The `config.json` of an OCI bundle. */
export function containerConfig(spec: SandboxSpec, places: ContainerPlaces) {
  const noCapabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  const ids = [{ containerID: 0, hostID: places.firstHostId, size: IDS_PER_SANDBOX }];
  const network = places.networkNamespace
    ? { type: 'network', path: places.networkNamespace }
    : { type: 'network' };
  return {
    ociVersion: '1.0.2',
    hostname: spec.hostname,
    root: { path: places.rootfs, readonly: true },
    process: {
      terminal: false,
      user: { uid: INSTANCE_UID, gid: INSTANCE_GID, umask: 0o022 },
      args: pidOneCommand(spec),
      env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
      cwd: spec.cwd,
      capabilities: noCapabilities,
      rlimits: [
        { type: 'RLIMIT_NOFILE', hard: spec.limits.openFiles, soft: spec.limits.openFiles },
        { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
      ],
      noNewPrivileges: true,
    },
    mounts: mounts(spec, places),
    linux: {
      namespaces: [
        { type: 'user' },
        { type: 'mount' },
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'cgroup' },
        network,
      ],
      uidMappings: ids,
      gidMappings: ids,
      cgroupsPath: places.cgroupPath,
      resources: resources(spec.limits),
      seccomp: seccompProfile(),
      maskedPaths: HIDDEN_PATHS,
      readonlyPaths: READ_ONLY_PATHS,
      devices: [],
    },
  };
}
