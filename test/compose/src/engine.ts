/** The Docker engine of this run. Import it before testcontainers looks for one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inject } from 'vitest';

export const { socketPath, ports } = inject('engine');

process.env['DOCKER_HOST'] = `unix://${socketPath}`;
// Its image cannot be pulled everywhere, and what a killed run leaves ends with its engine.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

/** The lines that a docker command prints. */
export async function docker(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)('docker', args);
  return stdout.split('\n').filter(Boolean);
}
