import { homedir } from 'node:os';
import { join } from 'node:path';

/** The same folder as the platform's programs have. */
export function inCache(...path: string[]): string {
  return join(process.env['OPENSCF_CACHE'] || join(homedir(), '.cache/openscf'), ...path);
}
