import { readFile } from 'node:fs/promises';

/** What the function of `LEDGER_SOURCE` writes: one line when a run begins and one when it ends. */
interface Entry {
  id: string;
  kind: 'start' | 'end';
  at: number;
}

/** A function that writes down when it runs, in a directory that all instances share. */
export const LEDGER_SOURCE = `
const { appendFileSync } = require('fs');
const write = (id, kind) => appendFileSync('/mnt/ledger/runs', JSON.stringify({ id, kind, at: Date.now() }) + '\\n');
exports.main_handler = async ({ id, holdMs }) => {
  write(id, 'start');
  await new Promise((done) => setTimeout(done, holdMs));
  write(id, 'end');
  return id;
};
`;

/**
 * The most runs at any one time. A run without an end was cut off with its invoker: it counts for as long as it would have taken,
 * which is more than it took.
 */
export async function mostAtOnce(path: string, holdMs: number): Promise<number> {
  const entries = (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
  const changes: { at: number; by: number }[] = [];
  const starts = new Map<string, number>();
  for (const { id, kind, at } of entries) {
    if (kind === 'start') starts.set(id, at);
    else {
      changes.push({ at: starts.get(id) ?? at, by: 1 }, { at, by: -1 });
      starts.delete(id);
    }
  }
  for (const at of starts.values()) changes.push({ at, by: 1 }, { at: at + holdMs, by: -1 });
  // Ends before starts of the same millisecond.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
