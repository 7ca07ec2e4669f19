import { cpus, loadavg } from 'node:os';
import type { PreparedRuntime } from './manifest.types.ts';
import type { Start } from './start.bench.ts';

export interface Row {
  runtime: PreparedRuntime;
  starts: Start[];
}

const BEGIN = '<!-- made by test/bench/src/workloads/runtimes.ts: begin -->';
const END = '<!-- made by test/bench/src/workloads/runtimes.ts: end -->';

const SERVED_BY: Record<string, string> = {
  nodejs: 'Node.js',
  python: 'CPython',
  php: 'PHP',
  java: 'OpenJDK',
  agent: 'the agent',
};

/** `empty`: the times of sandboxes that did nothing, of the same rounds. */
export function tableOf(rows: Row[], empty: number[], missing: Record<string, string>): string {
  const lines = rows.map(({ runtime, starts }) => {
    const version = starts[0]?.version.replace(/^v|^go/, '') ?? runtime.version;
    const server = `${SERVED_BY[runtime.language] ?? runtime.language} ${version}`;
    const figure = (pick: (start: Start) => number) => spread(starts.map(pick));
    const memory = median(starts.map(({ memoryMb }) => memoryMb)).toFixed(0);
    const times = [figure((s) => s.helloMs), figure((s) => s.totalMs), figure((s) => s.invokeMs)];
    return `| \`${runtime.name}\` | ${server} | ${times.join(' | ')} | ${memory} | ${runtime.note ?? ''} |`;
  });
  const absent = Object.entries(missing)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, reason]) => `| \`${name}\` | ${reason} |`);
  return [
    `Medians of ${empty.length} starts (smallest to largest), in ms, made in turn on ${cpus().length} processors of a`,
    `shared machine with a load of ${loadavg()[0]?.toFixed(1)}, on ${new Date().toISOString().slice(0, 10)}. A sandbox in which \`true\` runs took`,
    `${spread(empty)} ms in the same rounds. Memory in MB after the first invocation.`,
    '',
    '| name | served by | to hello | to ready | first invocation | memory | note |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
    'Names that the API accepts and that no start can serve here:',
    '',
    '| name | why, and what would help |',
    '|---|---|',
    ...absent,
  ].join('\n');
}

/** Puts the table between the markers of the document. */
export function insertTable(document: string, table: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the document needs the lines "${BEGIN}" and "${END}"`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${document.slice(end)}`;
}

function spread(values: number[]): string {
  const show = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
