/**
 * Workload 7: how many idle instances a gigabyte holds, against as many bare idle processes of the same interpreter.
 * Usage: node test/bench/src/workloads/density.ts [--instances 24] [--write]
 *
 * What a process costs is its proportional set size: pages that many share count once between them.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { hostRuntime } from '../floors/runtime-manifest.ts';
import { proportionalBytes } from '../measuring/memory.ts';
import { benchOptions } from '../measuring/options.ts';
import { CLEAN_ENVIRONMENT } from '../measuring/program.ts';
import { report } from '../measuring/report.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ instances: 24 });
const GB = 1024 ** 3;
const CASES = {
  'Nodejs20.19': {
    files: {
      'index.js': 'exports.main_handler = async () => new Promise((done) => setTimeout(done, 2000, 1));\n',
    },
    idle: ['-e', 'console.log(1); setInterval(() => {}, 1e9)'],
  },
  'Python3.11': {
    files: {
      'index.py': 'import time\ndef main_handler(event, context):\n    time.sleep(2)\n    return 1\n',
    },
    idle: ['-c', 'print(1, flush=True)\nimport time\ntime.sleep(1e9)'],
  },
} as const;

/** The floor: interpreters that have started and do nothing. */
async function bareBytes(runtimeName: string, idle: readonly string[]): Promise<number> {
  const { command, env } = hostRuntime(runtimeName);
  const processes: ChildProcess[] = [];
  for (let index = 0; index < options.instances; index += 1) {
    const child = spawn(command[0], idle, {
      env: { ...env, ...CLEAN_ENVIRONMENT },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    processes.push(child);
  }
  const bytes = proportionalBytes((pid) => processes.some((child) => child.pid === pid));
  for (const child of processes) child.kill('SIGKILL');
  await Promise.all(processes.map((child) => once(child, 'exit')));
  return bytes / options.instances;
}

async function instanceBytes(platform: BenchPlatform, runtime: keyof typeof CASES): Promise<number> {
  const name = `idle-${runtime.replaceAll('.', '-')}`;
  const inSandbox = (_pid: number, cgroups: string) => /openscf.*\/i-[0-9a-f]+/.test(cgroups);
  const before = proportionalBytes(inSandbox);
  await platform.deploy({ FunctionName: name, Runtime: runtime }, CASES[runtime].files);
  const calls = Array.from({ length: options.instances }, () => platform.invoke(name));
  const answers = await Promise.all(calls);
  const cold = answers.filter(({ Log }) => Log.includes('Init Report')).length;
  if (cold !== options.instances) throw new Error(`${cold} instances were started, not ${options.instances}`);
  return (proportionalBytes(inSandbox) - before) / options.instances;
}

const platform = await BenchPlatform.start({ OPENSCF_WARM_POOL_MB: '0' });
try {
  const rows = [];
  const data: Record<string, object> = {};
  for (const runtime of Object.keys(CASES) as (keyof typeof CASES)[]) {
    const ours = await instanceBytes(platform, runtime);
    const bare = await bareBytes(runtime, CASES[runtime].idle);
    data[runtime] = { oursBytes: ours, bareBytes: bare };
    const perGb = (bytes: number) => (GB / bytes).toFixed(1);
    rows.push([runtime, (bare / ours).toFixed(2), perGb(ours), perGb(bare)]);
  }
  const columns = ['runtime', 'instances per GB, × floor', 'instances per GB', 'bare idle processes per GB'];
  report({ workload: 'density', columns, rows, data }, options.write);
} finally {
  await platform.stop();
}
