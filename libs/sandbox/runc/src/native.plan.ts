import type { SandboxSpec } from '@openscf/sandbox-api';
import { cgroupPlan, type CgroupPlan } from './cgroup.js';
import { containerConfig, type ContainerPlaces } from './container.config.js';
import { mountIds, type MountIds } from './mount-ids.policy.js';
import { seccompFilter } from './seccomp.filter.js';

/** What the launcher starts (libs/sandbox/launcher/start.go). */
export interface SandboxPlan {
  id: string;
  root: string;
  mounts: { source: string; target: string; readOnly: boolean; receives: boolean; ids?: MountIds }[];
  cgroup: CgroupPlan;
  firstId: number;
  ids: number;
  /** Path of a network namespace; empty: a new one with nothing but loopback. */
  network: string;
  settings: {
    anchor: string;
    hostname: string;
    command: string[];
    env: string[];
    folder: string;
    user: number;
    group: number;
    openFiles: number;
    tmpfs: { target: string; options: string; noExec: boolean }[];
    masked: string[];
    readOnly: string[];
    /** Base64. */
    filter: string;
  };
}

type Config = ReturnType<typeof containerConfig>;
let filter: string | undefined;

/** What runc gets as config.json, said as the launcher understands it: one source for both. `anchor`: any folder of the driver's own. */
export function nativePlan(
  spec: SandboxSpec,
  places: ContainerPlaces,
  version: 1 | 2,
  anchor: string,
): SandboxPlan {
  const config = containerConfig(spec, places);
  const { linux } = config;
  filter ??= seccompFilter(linux.seccomp).toString('base64');
  return {
    id: spec.id,
    root: config.root.path,
    mounts: bindsOf(config, spec, places.firstHostId),
    cgroup: cgroupPlan(version, places.cgroupPath, spec.limits, places.tmpDevice),
    firstId: places.firstHostId,
    ids: linux.uidMappings[0]?.size ?? 0,
    network: places.networkNamespace ?? '',
    settings: {
      anchor,
      hostname: config.hostname,
      command: config.process.args,
      env: config.process.env,
      folder: config.process.cwd,
      user: config.process.user.uid,
      group: config.process.user.gid,
      openFiles: spec.limits.openFiles,
      tmpfs: tmpfsOf(config),
      masked: linux.maskedPaths,
      readOnly: linux.readonlyPaths,
      filter,
    },
  };
}

/** The owners of mounts are not in what runc gets: 1.1 has no mapped mounts. */
function bindsOf({ mounts }: Config, spec: SandboxSpec, firstHostId: number): SandboxPlan['mounts'] {
  const owners = new Map(spec.mounts.map(({ target, owner }) => [target, owner]));
  return mounts
    .filter(({ type }) => type === 'bind')
    .map(({ source, destination, options }) => {
      const owner = owners.get(destination);
      return {
        source,
        target: destination,
        readOnly: options.includes('ro'),
        receives: options.includes('rslave'),
        ...(owner && { ids: mountIds(owner, firstHostId) }),
      };
    });
}

/** The launcher makes /dev itself. */
function tmpfsOf({ mounts }: Config): SandboxPlan['settings']['tmpfs'] {
  return mounts
    .filter(({ type, destination }) => type === 'tmpfs' && destination !== '/dev')
    .map(({ destination, options }) => ({
      target: destination,
      options: options.filter((option) => option.includes('=')).join(','),
      noExec: options.includes('noexec'),
    }));
}
