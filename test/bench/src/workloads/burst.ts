/**
 * Workload 4: 100 cold starts at once, of one function and of 100 functions, while a warm neighbour is called all the time.
 * Usage: node test/bench/src/workloads/burst.ts [--rounds 3] [--starts 100] [--write]
 *
 * The floor is what the processors must do at least: the CPU time of as many bare boots (and of as many `runc run true`) over the cores.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareBoot } from '../floors/bare-boot.ts';
import { BareRunc } from '../floors/bare-runc.ts';
import { hostRuntime } from '../floors/runtime-manifest.ts';
import { childrenCpuMs } from '../measuring/cpu.ts';
import { benchOptions } from '../measuring/options.ts';
import { report } from '../measuring/report.ts';
import { quantile, ratioText, spread } from '../measuring/spread.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ rounds: 3, starts: 100 });
const RUNTIME = 'Nodejs20.19';
/** Holds its instance until all of a burst of one function have begun: none of them can be served by an instance of another. */
const HOLD_MS = 1_000;
const SOURCE = {
  'index.js': `exports.main_handler = async ({ holdMs = 0 }) => new Promise((done) => setTimeout(done, holdMs, 1));\n`,
};

interface Round {
  makespanMs: number;
  floorMs: number;
  bootFloorMs: number;
  failures: number;
  coldStarts: number;
  neighbourP99Ratio: number;
}

/** CPU milliseconds of one bare boot and of one `runc run true`, over the cores. */
async function floorOf(): Promise<{ boot: number; runc: number }> {
  const runtime = hostRuntime(RUNTIME);
  const codeRoot = mkdtempSync(join(tmpdir(), 'openscf-code-'));
  writeFileSync(join(codeRoot, 'index.js'), SOURCE['index.js']);
  const runc = await BareRunc.open(runtime.rootfs);
  const REPEAT = 10;
  const cpuOf = async (one: () => Promise<unknown>) => {
    const before = childrenCpuMs();
    for (let index = 0; index < REPEAT; index += 1) await one();
    return (childrenCpuMs() - before) / REPEAT / cpus().length;
  };
  const floor = {
    boot: await cpuOf(() => bareBoot(runtime, codeRoot, 'index.main_handler')),
    runc: await cpuOf(() => runc.run()),
  };
  runc.close();
  rmSync(codeRoot, { recursive: true, force: true });
  return floor;
}

/** Calls the neighbour one call after the other until `done`; returns how long each took. */
async function neighbour(platform: BenchPlatform, done: Promise<unknown>): Promise<number[]> {
  let over = false;
  void done.finally(() => (over = true));
  const latencies: number[] = [];
  while (!over) {
    const startedAt = performance.now();
    await platform.invoke('neighbour');
    latencies.push(performance.now() - startedAt);
  }
  return latencies;
}

async function burst(platform: BenchPlatform, names: string[], holdMs: number): Promise<Round> {
  const floor = await floorOf();
  const calm = await neighbour(platform, new Promise((resolve) => setTimeout(resolve, 3_000)));
  const startedAt = performance.now();
  const all = Promise.allSettled(names.map((name) => platform.invoke(name, { holdMs })));
  const busy = await neighbour(platform, all);
  const makespanMs = performance.now() - startedAt - holdMs;
  const answers = await all;
  const good = answers.flatMap((answer) =>
    answer.status === 'fulfilled' && answer.value.InvokeResult === 0 ? [answer.value] : [],
  );
  return {
    makespanMs,
    floorMs: (floor.boot + floor.runc) * names.length,
    bootFloorMs: floor.boot * names.length,
    failures: answers.length - good.length,
    coldStarts: good.filter(({ Log }) => Log.includes('Init Report')).length,
    neighbourP99Ratio: quantile(busy, 0.99) / quantile(calm, 0.99),
  };
}

async function forgetInstances(platform: BenchPlatform, names: string[], round: number): Promise<void> {
  for (const name of new Set(names)) {
    await platform.call('UpdateFunctionConfiguration', {
      FunctionName: name,
      Environment: { Variables: [{ Key: 'ROUND', Value: String(round) }] },
    });
  }
}

const platform = await BenchPlatform.start({
  OPENSCF_FUNCTIONS_PER_NAMESPACE: '1000',
  OPENSCF_INVOKER_MEMORY_MB: String(options.starts * 128 + 2_048),
});
try {
  await platform.deploy({ FunctionName: 'neighbour', Runtime: RUNTIME }, SOURCE);
  await platform.deploy({ FunctionName: 'one', Runtime: RUNTIME }, SOURCE);
  const many = Array.from({ length: options.starts }, (_, index) => `many-${index}`);
  for (const name of many) await platform.deploy({ FunctionName: name, Runtime: RUNTIME }, SOURCE);
  await platform.invoke('neighbour');
  const cases = { 'one function': many.map(() => 'one'), [`${options.starts} functions`]: many };
  const rows = [];
  const data: Record<string, Round[]> = {};
  for (const [label, names] of Object.entries(cases)) {
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      await forgetInstances(platform, names, round);
      rounds.push(await burst(platform, names, label === 'one function' ? HOLD_MS : 0));
    }
    const of = (pick: (round: Round) => number) => spread(rounds.map(pick));
    data[label] = rounds;
    rows.push([
      label,
      ratioText(of(({ makespanMs, floorMs }) => makespanMs / floorMs)),
      ratioText(of(({ makespanMs, bootFloorMs }) => makespanMs / bootFloorMs)),
      `${of(({ makespanMs }) => makespanMs).median.toFixed(0)}, ${of(({ floorMs }) => floorMs).median.toFixed(0)}`,
      of(({ coldStarts }) => coldStarts).median,
      ratioText(of(({ neighbourP99Ratio }) => neighbourP99Ratio)),
      rounds.reduce((sum, { failures }) => sum + failures, 0),
    ]);
  }
  const columns = [
    'case',
    'makespan ÷ (boot + runc)',
    'makespan ÷ boot',
    'makespan, floor, ms',
    'cold starts',
    'neighbour p99, × calm',
    'failures',
  ];
  report({ workload: 'burst', columns, rows, data }, options.write);
} finally {
  await platform.stop();
}
