import { spawn } from 'node:child_process';
import { SandboxError } from '@openscf/sandbox-api';
import type { Host } from './host.types.js';

/** Programs of the host start with this environment only: nothing of ours leaks into them. */
export const HOST_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Runs a program of the host to its end, with `input` on its standard input. Rejects with what it printed on failure. */
export function hostCommand(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: HOST_ENV, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new SandboxError('start-failed', `${program} failed: ${stderr.trim() || `exit ${code}`}`));
    });
    child.stdin.on('error', () => undefined).end(input);
  });
}

/** Many commands of `ip` in one process; with a namespace, inside it. */
export function ipBatch(
  host: Pick<Host, 'command'>,
  commands: readonly string[],
  namespace?: string,
): Promise<string> {
  const inside = namespace ? ['-n', namespace] : [];
  return host.command('ip', [...inside, '-batch', '-'], `${commands.join('\n')}\n`);
}
