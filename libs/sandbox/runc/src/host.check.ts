import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxError } from '@openscf/sandbox-api';
import { HOST_ENV } from './host-command.js';

/** Program → Debian package that brings it. */
const NEEDED: Record<string, string> = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  mkfifo: 'coreutils',
  mount: 'mount',
};

export async function hasProgram(program: string): Promise<boolean> {
  const folders = HOST_ENV.PATH.split(':');
  const checks = folders.map((folder) =>
    access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(checks)).includes(true);
}

/** Throws SandboxError `host-not-ready` that names everything that is missing. */
export async function checkHost(launcher: 'runc' | 'native'): Promise<void> {
  const problems: string[] = [];
  if (process.platform !== 'linux') problems.push(`Linux is needed, this is ${process.platform}`);
  else if (process.getuid?.() !== 0) problems.push('root is needed, to make namespaces and cgroups');
  for (const [program, debianPackage] of Object.entries(
    launcher === 'runc' ? { runc: 'runc', ...NEEDED } : NEEDED,
  ))
    if (!(await hasProgram(program)))
      problems.push(`${program} is missing (Debian package ${debianPackage})`);
  if (problems.length > 0)
    throw new SandboxError(
      'host-not-ready',
      `This host cannot run sandboxes with runc: ${problems.join('; ')}`,
    );
}

/** slirp4netns and the device that it needs. */
export async function canReachPublicNetwork(): Promise<boolean> {
  const tun = await access('/dev/net/tun').then(
    () => true,
    () => false,
  );
  return tun && (await hasProgram('slirp4netns'));
}
