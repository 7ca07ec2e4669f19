import { SandboxError } from '@openscf/sandbox-api';
import type Docker from 'dockerode';

interface EngineFacts {
  /** The engine maps the containers' users (its setting `userns-remap`); it cannot be asked for per container. */
  userNamespace: boolean;
}

/** Throws SandboxError `host-not-ready` that names everything that is missing. */
export async function checkEngine(docker: Docker): Promise<EngineFacts> {
  const info = await docker.info().catch((cause: unknown) => {
    throw new SandboxError(
      'host-not-ready',
      `The Docker engine does not answer: ${(cause as Error).message}`,
      { cause },
    );
  });
  const problems: string[] = [];
  if (info.OSType !== 'linux')
    problems.push(`the engine runs ${info.OSType} containers, and Linux is needed`);
  if (!info.MemoryLimit) problems.push('the engine cannot limit memory');
  if (!info.PidsLimit) problems.push('the engine cannot limit processes');
  const security = (info.SecurityOptions ?? []) as string[];
  if (!security.some((option) => option.includes('name=seccomp'))) problems.push('the engine has no seccomp');
  if (problems.length > 0)
    throw new SandboxError('host-not-ready', `This engine cannot run sandboxes: ${problems.join('; ')}`);
  return {
    userNamespace: security.some(
      (option) => option.includes('name=userns') || option.includes('name=rootless'),
    ),
  };
}
