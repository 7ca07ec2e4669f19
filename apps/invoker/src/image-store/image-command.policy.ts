import type { ImageCode } from '@openscf/contracts';
import type { ImageConfig } from '@openscf/oci';

/** What a process finds its programs with when the image does not say; Docker's default. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What is run. The function's Command stands in for ENTRYPOINT, its Args for CMD; a CMD belongs to the ENTRYPOINT of its image, so that
 * a Command without Args has none.
 */
export function imageCommand(code: Pick<ImageCode, 'command' | 'args'>, config: ImageConfig): string[] {
  if (code.command.length > 0) return [...code.command, ...code.args];
  return [...config.entrypoint, ...(code.args.length > 0 ? code.args : config.cmd)];
}

/** The image's variables, as far as a process can have them, with what every process needs. */
export function imageEnvironment({ env }: ImageConfig): Record<string, string> {
  const usable = Object.entries(env).filter(
    ([name, value]) => /^[A-Za-z_]\w*$/.test(name) && !value.includes('\0'),
  );
  // The one folder that an instance may write into.
  return { PATH: DEFAULT_PATH, HOME: '/tmp', ...Object.fromEntries(usable) };
}

/** A job is a program that runs once for each invocation, and no server. */
export function isJob({ port }: Pick<ImageCode, 'port'>): boolean {
  return port === -1;
}
