import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

const directory = join(import.meta.dirname, '..', '..', '..', '..', 'docs');

/** What a workload found: a table for people, and everything for programs. */
export interface Report {
  readonly workload: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly data: unknown;
}

function tableOf({ columns, rows }: Report): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(line)].join('\n');
}

/**
 * Prints the table. With `write`, also writes `docs/benchmarks/<workload>.json` and puts the table between the workload's marks in
 * `docs/benchmarks.md`.
 */
export function report(result: Report, write: boolean): void {
  const table = tableOf(result);
  console.log(`\n${result.workload}\n\n${table}\n`);
  if (!write) return;
  const machine = `${cpus().length} cores, Linux ${release()}, Node.js ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
  const { workload, data } = result;
  mkdirSync(join(directory, 'benchmarks'), { recursive: true });
  const json = JSON.stringify({ workload, machine, data }, null, 2);
  writeFileSync(join(directory, 'benchmarks', `${workload}.json`), `${json}\n`);
  const file = join(directory, 'benchmarks.md');
  const [begin, end] = [`<!-- ${workload} -->`, `<!-- /${workload} -->`];
  const page = readFileSync(file, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/benchmarks.md has no marks ${begin} … ${end}`);
  writeFileSync(
    file,
    `${before}${begin}\n\n${machine}; median of the rounds (lowest–highest).\n\n${table}\n\n${end}${after}`,
  );
}
