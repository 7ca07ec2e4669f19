/**
 * Workload 3: cold starts of Node.js and Python with 1 KB, 1 MB and 8 MB of code, with the warm pool and without.
 * Usage: node test/bench/src/workloads/cold-start.ts [--rounds 12] [--write]
 *
 * A call is cold because the function's configuration was changed just before: what is measured is the whole call, as its sender
 * sees it, against the same bootstrap started on the host and `runc run true` (measured in turn with it).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareBoot } from '../floors/bare-boot.ts';
import { BareRunc } from '../floors/bare-runc.ts';
import { hostRuntime } from '../floors/runtime-manifest.ts';
import { benchOptions } from '../measuring/options.ts';
import { report } from '../measuring/report.ts';
import { ratioText, spread, type Spread } from '../measuring/spread.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ rounds: 12 });
const RUNTIMES = ['Nodejs20.19', 'Python3.11'] as const;
const SIZES = { '1 KB': 1_000, '1 MB': 1_000_000, '8 MB': 8_000_000 } as const;

interface Sample {
  boot: number;
  runc: number;
  pooled: number;
  booted: number;
}

/** As large as modules of people become; a larger program has more of them. */
const MODULE_BYTES = 100_000;

/** A handler that loads so much code, most of it functions that nobody calls, as in a bundle or in packages. */
function sourceOf(runtime: string, bytes: number): Record<string, string> {
  const isNode = runtime.startsWith('Nodejs');
  const filler = (index: number) =>
    isNode
      ? `exports.f${index} = function (a, b) { return a * ${index} + b + '${'x'.repeat(60)}'.length; };\n`
      : `def f${index}(a, b):\n    return a * ${index} + b + len('${'x'.repeat(60)}')\n`;
  const files: Record<string, string> = {};
  let main = isNode
    ? 'exports.main_handler = async () => 1;\n'
    : 'def main_handler(event, context):\n    return 1\n';
  for (let left = bytes - main.length, module = 0; left > 0; left -= MODULE_BYTES, module += 1) {
    let text = '';
    for (let index = 0; text.length < Math.min(left, MODULE_BYTES); index += 1) text += filler(index);
    files[`m${module}.${isNode ? 'js' : 'py'}`] = text;
    main += isNode ? `require('./m${module}.js');\n` : `import m${module}\n`;
  }
  return { ...files, [isNode ? 'index.js' : 'index.py']: main };
}

/** A call that found the pool empty, because it is refilled behind, is no sample of the pool: another one is made. */
const MOST_TRIES = 20;

async function coldCall(
  platform: BenchPlatform,
  functionName: string,
  round: string,
  pooled: boolean,
): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const { took, log } = await oneColdCall(platform, functionName, `${round}-${tries}`);
    if (log.includes('pooled') === pooled) return took;
  }
  throw new Error(`${functionName} was never started ${pooled ? 'from' : 'without'} the pool`);
}

async function oneColdCall(platform: BenchPlatform, functionName: string, round: string) {
  await platform.call('UpdateFunctionConfiguration', {
    FunctionName: functionName,
    Environment: { Variables: [{ Key: 'ROUND', Value: round }] },
  });
  const startedAt = performance.now();
  const { InvokeResult, ErrMsg, Log } = await platform.invoke(functionName);
  const took = performance.now() - startedAt;
  if (InvokeResult !== 0) throw new Error(`${functionName}: ${ErrMsg}`);
  if (!Log.includes('Init Report')) throw new Error(`${functionName} was not cold: ${Log}`);
  return { took, log: Log };
}

async function measure(runtimeName: string, bytes: number, on: BenchPlatform, off: BenchPlatform) {
  const runtime = hostRuntime(runtimeName);
  const files = sourceOf(runtimeName, bytes);
  const codeRoot = mkdtempSync(join(tmpdir(), 'openscf-code-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(codeRoot, name), text);
  const runc = await BareRunc.open(runtime.rootfs);
  const name = `cold-${runtimeName.replaceAll('.', '-')}-${bytes}`;
  for (const platform of [on, off]) {
    await platform.deploy({ FunctionName: name, Runtime: runtimeName, MemorySize: 512 }, files);
    await platform.invoke(name);
  }
  const samples: Sample[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    samples.push({
      boot: await bareBoot(runtime, codeRoot, 'index.main_handler'),
      runc: await runc.run(),
      pooled: await coldCall(on, name, String(round), true),
      booted: await coldCall(off, name, String(round), false),
    });
  }
  runc.close();
  rmSync(codeRoot, { recursive: true, force: true });
  return samples;
}

const off = await BenchPlatform.start({ OPENSCF_WARM_POOL_MB: '0' });
const on = await BenchPlatform.start();
try {
  const rows = [];
  const data = [];
  for (const runtime of RUNTIMES) {
    for (const [label, bytes] of Object.entries(SIZES)) {
      const samples = await measure(runtime, bytes, on, off);
      const of = (pick: (sample: Sample) => number): Spread => spread(samples.map(pick));
      const ms = (pick: (sample: Sample) => number) => of(pick).median.toFixed(0);
      rows.push([
        `${runtime}, ${label}`,
        ratioText(of(({ pooled, booted }) => pooled / booted)),
        ratioText(of(({ booted, boot, runc }) => booted / (boot + runc))),
        `${ms((s) => s.pooled)} / ${ms((s) => s.booted)}`,
        `${ms((s) => s.boot)} + ${ms((s) => s.runc)}`,
      ]);
      data.push({ runtime, bytes, samples });
    }
  }
  const columns = [
    'case',
    'pool on ÷ pool off',
    'pool off ÷ (boot + runc)',
    'ours, pool on / off, ms',
    'bare boot + bare runc, ms',
  ];
  report({ workload: 'cold-start', columns, rows, data }, options.write);
} finally {
  await on.stop();
  await off.stop();
}
