/**
 * Workload 12: `npm start` with filled caches to the first answer, against Kafka, PostgreSQL and MinIO starting by themselves; and
 * the memory of the six services when nothing happens.
 * Usage: node test/bench/src/workloads/start-up.ts [--rounds 3] [--write]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startParts, type PartName } from '@openscf/infra-local';
import { proportionalBytes } from '../measuring/memory.ts';
import { benchOptions } from '../measuring/options.ts';
import { report } from '../measuring/report.ts';
import { ratioText, spread } from '../measuring/spread.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ rounds: 3 });
const SERVICES = ['gateway', 'function-registry', 'scheduler', 'invoker', 'trigger-bridge', 'log'] as const;
const PARTS = ['kafka', 'postgres', 'minio'] as const satisfies readonly PartName[];
const MUST_MB = 600;

async function partMs(part: PartName): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'openscf-part-'));
  const startedAt = performance.now();
  const running = await startParts({ home, parts: [part] });
  const took = performance.now() - startedAt;
  await running.stop();
  rmSync(home, { recursive: true, force: true });
  return took;
}

async function platformMs(): Promise<{ took: number; memoryMb: number }> {
  const startedAt = performance.now();
  const platform = await BenchPlatform.start();
  try {
    const source = { 'index.js': 'exports.main_handler = async () => 1;\n' };
    await platform.deploy({ FunctionName: 'first', Runtime: 'Nodejs20.19' }, source);
    await platform.invoke('first');
    const took = performance.now() - startedAt;
    const pids = SERVICES.map((name) => platform.running.pid(name));
    return { took, memoryMb: proportionalBytes((pid) => pids.includes(pid)) / 1024 ** 2 };
  } finally {
    await platform.stop();
  }
}

const rounds: { parts: number; ours: number; memoryMb: number }[] = [];
for (let round = 0; round < options.rounds; round += 1) {
  let parts = 0;
  for (const part of PARTS) parts += await partMs(part);
  const { took, memoryMb } = await platformMs();
  rounds.push({ parts, ours: took, memoryMb });
}
const seconds = (values: number[]) => (spread(values).median / 1000).toFixed(1);
const rows = [
  [
    ratioText(spread(rounds.map(({ ours, parts }) => ours / parts))),
    `${seconds(rounds.map(({ ours }) => ours))} / ${seconds(rounds.map(({ parts }) => parts))}`,
    `${spread(rounds.map(({ memoryMb }) => memoryMb)).median.toFixed(0)} (must: ${MUST_MB})`,
  ],
];
const columns = ['to the first answer ÷ sum of the parts', 'ours / parts, s', 'six services idle, MB'];
report({ workload: 'start-up', columns, rows, data: rounds }, options.write);
