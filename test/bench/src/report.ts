import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Comparison, Spread } from './rounds.ts';

const directory = join(import.meta.dirname, '..', '..', '..', 'docs');

export interface Row {
  name: string;
  comparison: Comparison;
}

function ratio({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function table(rows: Row[]): string {
  const head =
    '| case | requests/s, × floor | p50, × floor | ours: req/s, p50, p99 ms | floor: req/s, p50, p99 ms | CPU s / 1,000: ours, floor | failures |\n|---|---|---|---|---|---|---|';
  const side = (s: Comparison['ours']) =>
    `${Math.round(s.requestsPerSecond)}, ${s.p50Ms.toFixed(2)}, ${s.p99Ms.toFixed(2)}`;
  const lines = rows.map(({ name, comparison: c }) => {
    const cpu = `${c.ours.cpuSecondsPer1000.toFixed(2)}, ${c.floor.cpuSecondsPer1000.toFixed(2)}`;
    return `| ${name} | ${ratio(c.throughputRatio)} | ${ratio(c.p50Ratio)} | ${side(c.ours)} | ${side(c.floor)} | ${cpu} | ${c.failures} |`;
  });
  return [head, ...lines].join('\n');
}

/** Writes `docs/benchmarks/<workload>.json` and puts the table between the workload's marks in `docs/benchmarks.md`. */
export function writeReport(workload: string, rows: Row[]): string {
  const machine = `${cpus().length} cores, Linux ${release()}, Node.js ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
  mkdirSync(join(directory, 'benchmarks'), { recursive: true });
  writeFileSync(
    join(directory, 'benchmarks', `${workload}.json`),
    `${JSON.stringify({ workload, machine, rows }, null, 2)}\n`,
  );
  const text = table(rows);
  const file = join(directory, 'benchmarks.md');
  const [begin, end] = [`<!-- ${workload} -->`, `<!-- /${workload} -->`];
  const page = readFileSync(file, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/benchmarks.md has no marks ${begin} … ${end}`);
  writeFileSync(
    file,
    `${before}${begin}\n\n${machine}; median of the rounds (lowest–highest).\n\n${text}\n\n${end}${after}`,
  );
  return text;
}
