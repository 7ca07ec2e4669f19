/**
 * Fills ${OPENSCF_CACHE:-~/.cache/openscf}/runtimes with what instances run on, and writes `runtimes.json` there, which
 * the invoker reads. Safe to run again and at any time: what is complete is kept, everything appears at once or not at all.
 *
 * Usage: node infra/runtimes/prepare.ts [runtime ...]      (default: all; names as the Cloud API has them)
 * Prints one line `name: text` for each step. Needs root on Debian or Ubuntu.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { prepare } from './src/prepare.ts';

const cache = process.env['OPENSCF_CACHE'] || join(homedir(), '.cache', 'openscf');

prepare({
  recipes: import.meta.dirname,
  bootstraps: resolve(import.meta.dirname, '../../libs/runtimes'),
  launcher: resolve(import.meta.dirname, '../../libs/sandbox/launcher'),
  root: join(resolve(cache), 'runtimes'),
  names: process.argv.slice(2),
  print: (line) => console.log(line),
}).catch((error: unknown) => {
  console.error(`runtimes: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
