import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';

const LONGEST_TAIL_LINE = 300;
const LARGEST_LOG_BYTES = 32 * 2 ** 20;

/** Opens a log for appending; one that has grown large is put aside as `<file>.1` first. */
export function openLog(file: string): { fd: number; close(): void } {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > LARGEST_LOG_BYTES) renameSync(file, `${file}.1`);
  const fd = openSync(file, 'a', 0o600);
  return { fd, close: () => closeSync(fd) };
}

/** For a log that processes have open: its text moves to `<file>.1` once it is large, and they go on at its start. */
export function keepSmall(file: string): void {
  if (!existsSync(file) || statSync(file).size <= LARGEST_LOG_BYTES) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
}

/** The last non-empty lines, oldest first; long ones, such as errors with their stacks, are cut. */
export function tailOf(file: string, count: number): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => (line.length > LONGEST_TAIL_LINE ? `${line.slice(0, LONGEST_TAIL_LINE)} …` : line));
}
