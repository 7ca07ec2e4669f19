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
import type { SandboxRelay, SandboxSpec } from '@openscf/sandbox-api';
import type { ContainerCreateOptions } from 'dockerode';

/** What the driver adds to a specification. */
export interface ContainerPlaces {
  name: string;
  image: string;
  labels: Record<string, string>;
  /** A network of its own for this instance, and where the relays are in it; without it there is only loopback. */
  network?: { name: string; relayAddress: string };
}

const MB = 1024 * 1024;
const CPU_PERIOD_US = 100_000;

/** Known to the engine, not to the types. */
const UNTYPED = { CgroupnsMode: 'private', MaskedPaths: HIDDEN_PATHS, ReadonlyPaths: READ_ONLY_PATHS };

export function resourcesOf({
  memoryMb,
  cpuShares,
  cpus,
}: Pick<SandboxSpec['limits'], 'memoryMb' | 'cpuShares' | 'cpus'>) {
  return {
    Memory: memoryMb * MB,
    MemorySwap: memoryMb * MB,
    CpuShares: cpuShares,
    CpuPeriod: CPU_PERIOD_US,
    CpuQuota: cpus === undefined ? -1 : Math.round(cpus * CPU_PERIOD_US),
  };
}

function mounts(spec: SandboxSpec) {
  const run = { source: spec.runDirectory, target: RUN_DIRECTORY, readOnly: true };
  const pidOne = { source: spec.pidOne ?? '', target: `${RUN_DIRECTORY}/${PID_ONE_FILE}`, readOnly: true };
  return [...spec.mounts, run, ...(spec.pidOne ? [pidOne] : [])].map(({ source, target, readOnly }) => {
    return { Type: 'bind' as const, Source: source, Target: target, ReadOnly: readOnly };
  });
}

/** A specification as the body of the engine's `POST /containers/create`. */
export function containerConfig(
  spec: SandboxSpec,
  places: ContainerPlaces,
  relays: readonly SandboxRelay[],
): ContainerCreateOptions {
  const { limits } = spec;
  const { network } = places;
  return {
    name: places.name,
    Image: places.image,
    Labels: places.labels,
    Hostname: spec.hostname,
    User: `${INSTANCE_UID}:${INSTANCE_GID}`,
    WorkingDir: spec.cwd,
    Entrypoint: pidOneCommand(spec),
    Cmd: [],
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    HostConfig: {
      ...resourcesOf(limits),
      PidsLimit: limits.pids,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges', `seccomp=${JSON.stringify(seccompProfile())}`],
      Mounts: mounts(spec),
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${limits.tmpMb}m` },
      ShmSize: 64 * MB,
      IpcMode: 'private',
      ...UNTYPED,
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      NetworkMode: network?.name ?? 'none',
      ExtraHosts: [
        `${spec.hostname}:127.0.0.1`,
        ...(network ? relays.map(({ name }) => `${name}:${network.relayAddress}`) : []),
      ],
    },
  };
}
