import type { SandboxSpec } from '@openscf/sandbox-api';
import { describe, expect, it } from 'vitest';
import { containerConfig } from './container.config.js';

const spec: SandboxSpec = {
  id: 'one',
  rootfs: '/cache/rootfs/1',
  command: ['/var/lang/node24/bin/node', 'index.js'],
  env: { HOME: '/home/qcloud' },
  cwd: '/var/user',
  mounts: [{ source: '/cache/code/1', target: '/var/user', readOnly: true }],
  runDirectory: '/run/instances/one',
  limits: { memoryMb: 128, cpuShares: 128, cpus: 0.5, pids: 1024, openFiles: 1024, tmpMb: 512 },
  network: 'egress',
  hostname: 'one',
};
const places = {
  rootfs: '/run/openscf-a/roots/1',
  fifo: '/run/openscf-a/fifos/1',
  hosts: '/run/openscf-a/bundles/one/hosts',
  cgroupPath: '/openscf-a/one',
  firstHostId: 1_000_000_000,
  lateFolders: [],
  networkNamespace: '/run/netns/openscf-a-1',
};

describe('containerConfig', () => {
  const config = containerConfig(spec, places);

  it('gives the instance no privilege', () => {
    const { capabilities, noNewPrivileges, user } = config.process;
    expect(Object.values(capabilities).flat()).toEqual([]);
    expect(noNewPrivileges).toBe(true);
    expect(user).toMatchObject({ uid: 1000, gid: 1000 });
    expect(config.root).toEqual({ path: places.rootfs, readonly: true });
    expect(config.linux.seccomp.defaultAction).toBe('SCMP_ACT_ERRNO');
    expect(config.linux.uidMappings).toEqual([{ containerID: 0, hostID: 1_000_000_000, size: 65_536 }]);
  });

  it('has a namespace of every kind, and joins the network that is ready', () => {
    const types = config.linux.namespaces.map(({ type }) => type).sort();
    expect(types).toEqual(['cgroup', 'ipc', 'mount', 'network', 'pid', 'user', 'uts']);
    expect(config.linux.namespaces).toContainEqual({ type: 'network', path: places.networkNamespace });
    const alone = containerConfig(spec, { ...places, networkNamespace: undefined });
    expect(alone.linux.namespaces).toContainEqual({ type: 'network' });
  });

  it('sets every limit, without a way around by swap', () => {
    expect(config.linux.resources).toMatchObject({
      memory: { limit: 128 << 20, swap: 128 << 20 },
      cpu: { shares: 128, quota: 50_000, period: 100_000 },
      pids: { limit: 1024 },
    });
    expect(config.process.rlimits).toContainEqual({ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 });
    const tmp = config.mounts.find(({ destination }) => destination === '/tmp');
    expect(tmp?.options).toContain('size=512m');
  });

  it('mounts the run directory read-only, and only the FIFO in it writable', () => {
    const optionsOf = (path: string) =>
      config.mounts.find(({ destination }) => destination === path)?.options;
    expect(optionsOf('/var/user')).toContain('ro');
    expect(optionsOf('/run/openscf')).toContain('ro');
    expect(optionsOf('/run/openscf/output')).toContain('rw');
  });
});
