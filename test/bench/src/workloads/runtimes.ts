/**
 * Starts every runtime that is prepared in a real sandbox with a handler that does next to nothing, and writes what serves
 * each name and how long it took into docs/runtimes.md.
 *
 * Usage: node test/bench/src/workloads/runtimes.ts [--rounds 7] [--print] [runtime ...]     (needs root, runc, and `npm run build`)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hellos } from '../runtimes/hellos.ts';
import type { PreparedRuntimes } from '../runtimes/manifest.types.ts';
import { StartBench, type Start } from '../runtimes/start.bench.ts';
import { insertTable, tableOf, type Row } from '../runtimes/table.ts';

const project = resolve(import.meta.dirname, '../../../..');
const args = process.argv.slice(2);
const at = args.indexOf('--rounds');
const rounds = at < 0 ? 7 : Number(args.splice(at, 2)[1]);
const onlyPrint = args.includes('--print');
const names = args.filter((arg) => !arg.startsWith('--'));

const cache = process.env['OPENSCF_CACHE'] || join(homedir(), '.cache/openscf');
const manifest = JSON.parse(readFileSync(join(cache, 'runtimes/runtimes.json'), 'utf8')) as PreparedRuntimes;
const runtimes = manifest.runtimes.filter(({ name }) => names.length === 0 || names.includes(name));

const handlers = hellos(project, join(cache, 'runtimes/tools/ecj/ecj.jar'));
const bench = await StartBench.open(manifest.rootfs);
const starts = new Map<string, Start[]>();
const empty: number[] = [];
try {
  // In turn, so that a busy moment of the machine does not fall on one runtime alone.
  for (let round = 0; round < rounds; round += 1) {
    empty.push(await bench.empty());
    for (const runtime of runtimes) {
      const hello = handlers.of(runtime);
      const start = await bench.start(runtime, hello);
      starts.set(runtime.name, [...(starts.get(runtime.name) ?? []), start]);
      console.error(`${runtime.name}: ${start.totalMs.toFixed(0)} ms`);
    }
  }
} finally {
  await bench.close();
  handlers.close();
}
const rows: Row[] = runtimes.map((runtime) => ({ runtime, starts: starts.get(runtime.name) ?? [] }));
const table = tableOf(rows, empty, manifest.missing);
if (onlyPrint) console.log(table);
else {
  const path = join(project, 'docs/runtimes.md');
  writeFileSync(path, insertTable(readFileSync(path, 'utf8'), table));
  console.log(`wrote ${path}`);
}
