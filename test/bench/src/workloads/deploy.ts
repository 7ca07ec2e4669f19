/**
 * Workload 11: from sending new code (1 KB) to the first answer that it gives.
 * Usage: node test/bench/src/workloads/deploy.ts [--rounds 20] [--write]
 */
import { benchOptions } from '../measuring/options.ts';
import { report } from '../measuring/report.ts';
import { quantile, spread } from '../measuring/spread.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ rounds: 20 });
const MUST_MS = 500;

function source(version: number): Record<string, string> {
  return {
    'index.js': `// ${'x'.repeat(900)}\nexports.main_handler = async () => 'version ${version}';\n`,
  };
}

/** @returns milliseconds from the start of the update to the first new answer */
async function redeploy(platform: BenchPlatform, version: number): Promise<number> {
  const startedAt = performance.now();
  await platform.updateCode('deployed', source(version));
  for (;;) {
    const { RetMsg } = await platform.invoke('deployed');
    if (RetMsg.includes(`version ${version}`)) return performance.now() - startedAt;
  }
}

const platform = await BenchPlatform.start();
try {
  await platform.deploy({ FunctionName: 'deployed', Runtime: 'Nodejs20.19' }, source(0));
  await platform.invoke('deployed');
  const took: number[] = [];
  for (let version = 1; version <= options.rounds; version += 1) took.push(await redeploy(platform, version));
  const { median, min, max } = spread(took);
  const cells = [median, quantile(took, 0.9), min, max].map((ms) => ms.toFixed(0));
  const columns = ['case', 'median, ms', 'p90, ms', 'lowest, ms', 'highest, ms', 'must, ms'];
  const rows = [['1 KB update, Node.js', ...cells, MUST_MS]];
  report({ workload: 'deploy', columns, rows, data: took }, options.write);
} finally {
  await platform.stop();
}
