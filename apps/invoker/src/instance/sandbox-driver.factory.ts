import type { SandboxDriver, SandboxDriverOptions } from '@openscf/sandbox-api';

/** Loads only the driver that is used. */
export async function createSandboxDriver(
  kind: 'runc' | 'docker',
  options: SandboxDriverOptions,
  /** Starts sandboxes in place of `runc run`. */
  launcherProgram?: string,
): Promise<SandboxDriver> {
  if (kind === 'docker') {
    const { createDockerDriver } = await import('@openscf/sandbox-docker');
    return createDockerDriver(options);
  }
  const { createRuncDriver } = await import('@openscf/sandbox-runc');
  return createRuncDriver(options, { launcherProgram });
}
