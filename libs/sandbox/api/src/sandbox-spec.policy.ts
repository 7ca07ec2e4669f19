import { isAbsolute } from 'node:path';
import { SandboxError } from './sandbox.errors.js';
import type { SandboxDriverOptions, SandboxLimits, SandboxMount, SandboxSpec } from './sandbox.types.js';

const OWNER = /^[a-z0-9][a-z0-9-]{0,31}$/;
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const HOSTNAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;
const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The one above means no id. */
const LAST_ID = 0xfffffffe;

/** Smallest and largest accepted value of each limit. */
const LIMITS: Record<keyof SandboxLimits, [number, number]> = {
  memoryMb: [16, 1_048_576],
  cpuShares: [2, 262_144],
  cpus: [0.01, 1024],
  pids: [1, 4_194_304],
  openFiles: [16, 1_048_576],
  tmpMb: [1, 1_048_576],
};

function refuse(field: string, value: unknown, accepted: string): never {
  const message = `${field} is ${JSON.stringify(value)}; accepted: ${accepted}`;
  throw new SandboxError('invalid-spec', message, { info: { field } });
}

function checkPath(field: string, path: string): void {
  if (!isAbsolute(path) || path.includes('\0') || path.split('/').includes('..'))
    refuse(field, path, 'an absolute path without ..');
}

export function checkLimits(limits: Partial<SandboxLimits>): void {
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const value = limits[name as keyof SandboxLimits];
    if (value !== undefined && !(value >= least && value <= most))
      refuse(`limits.${name}`, value, `${least} to ${most}`);
  }
}

function checkMounts(mounts: readonly SandboxMount[]): void {
  for (const { source, target, owner } of mounts) {
    checkPath('mounts.source', source);
    checkPath('mounts.target', target);
    // Root's programs with the set-user-id bit would be root's for all of the host.
    for (const id of owner ? [owner.uid, owner.gid] : [])
      if (!Number.isInteger(id) || id < 1 || id > LAST_ID)
        refuse('mounts.owner', owner, `ids from 1 to ${LAST_ID}`);
  }
}

/** Throws SandboxError `invalid-spec` unless each mount fills another of `free`. */
export function checkLateMounts(mounts: readonly SandboxMount[], free: ReadonlySet<string>): void {
  checkMounts(mounts);
  const owned = mounts.find(({ owner }) => owner);
  if (owned) refuse('mounts.owner', owned.owner, 'none, on a running sandbox');
  const targets = mounts.map(({ target }) => target);
  const wrong = targets.find((target, index) => !free.has(target) || targets.indexOf(target) !== index);
  if (wrong !== undefined)
    refuse('mounts.target', wrong, `once each of ${[...free].join(', ') || 'none: nothing is free'}`);
}

/** Throws SandboxError `invalid-spec` that names the field, the value and what is accepted. */
export function checkSpec(spec: SandboxSpec): void {
  if (!ID.test(spec.id)) refuse('id', spec.id, String(ID));
  if (!HOSTNAME.test(spec.hostname)) refuse('hostname', spec.hostname, String(HOSTNAME));
  if (!spec.command[0]) refuse('command', spec.command, 'a program and its arguments');
  checkPath('rootfs', spec.rootfs);
  checkPath('cwd', spec.cwd);
  checkPath('runDirectory', spec.runDirectory);
  checkMounts(spec.mounts);
  for (const target of spec.lateTargets ?? []) checkPath('lateTargets', target);
  if (spec.pidOne !== undefined) checkPath('pidOne', spec.pidOne);
  for (const [name, value] of Object.entries(spec.env)) {
    if (!VARIABLE.test(name)) refuse('env', name, `names like ${VARIABLE}`);
    if (value.includes('\0')) refuse(`env.${name}`, '(not shown)', 'text without a zero byte');
  }
  checkLimits(spec.limits);
}

/** Throws SandboxError `invalid-spec`. */
export function checkDriverOptions(options: SandboxDriverOptions): void {
  if (!OWNER.test(options.owner)) refuse('owner', options.owner, String(OWNER));
  if (!(options.readyNetworks >= 0 && options.readyNetworks <= 1000))
    refuse('readyNetworks', options.readyNetworks, '0 to 1000');
  for (const network of options.privateNetworks ?? [])
    if (!CIDR.test(network)) refuse('privateNetworks', network, 'ranges such as 10.1.0.0/16');
  if (options.stateDirectory !== undefined) checkPath('stateDirectory', options.stateDirectory);
}
