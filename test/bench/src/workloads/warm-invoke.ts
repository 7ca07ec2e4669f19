/**
 * Workload 1: warm sync invoke of a Node.js function that returns its event: signed `InvokeFunction` and function URL, beside a bare
 * Node.js echo and the peers, all in turn in each round.
 * Usage: node test/bench/src/workloads/warm-invoke.ts [--seconds 5] [--rounds 5] [--write]
 */
import { freePort } from '@openscf/infra-local';
import { join } from 'node:path';
import { cpuSeconds } from '../measuring/cpu.ts';
import { applyLoad } from '../measuring/load.ts';
import { benchOptions } from '../measuring/options.ts';
import { startProgram, type Program } from '../measuring/program.ts';
import { report } from '../measuring/report.ts';
import { compare, type Measured, type Side } from '../measuring/rounds.ts';
import { ratioText } from '../measuring/spread.ts';
import { peers } from '../peers/peers.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ seconds: 5, rounds: 5 });
const CONNECTIONS = [1, 16, 64];
const FUNCTION_NAME = 'bench-echo';
const SOURCE = { 'index.js': 'exports.main_handler = async (event) => event;\n' };
const URL_SOURCE = { 'index.js': 'exports.main_handler = async (event) => JSON.parse(event.body);\n' };
const EVENT = JSON.stringify({ payload: 'x'.repeat(1_000) });
const JSON_HEADERS = { 'Content-Type': 'application/json' };

function signedInvoke(platform: BenchPlatform, connections: number, others: () => number[]): Side {
  const body = JSON.stringify({ FunctionName: FUNCTION_NAME, Event: EVENT });
  return {
    name: 'InvokeFunction, signed',
    run: () => {
      const headers = platform.signed('InvokeFunction', body);
      const url = platform.running.urls.gateway;
      return applyLoad({
        url,
        headers,
        body,
        connections,
        seconds: options.seconds,
        expect: '"InvokeResult":0',
      });
    },
    cpuSeconds: () => cpuSeconds([process.pid], 'openscf') - cpuSeconds(others()),
  };
}

function plain(name: string, url: string, connections: number, roots: () => number[], ours: boolean): Side {
  return {
    name,
    run: () =>
      applyLoad({
        url,
        headers: JSON_HEADERS,
        body: EVENT,
        connections,
        seconds: options.seconds,
        expect: 'payload',
      }),
    cpuSeconds: () =>
      ours ? cpuSeconds([process.pid], 'openscf') - cpuSeconds(roots()) : cpuSeconds(roots()),
  };
}

async function startFloor(): Promise<Program> {
  const port = await freePort();
  const file = join(import.meta.dirname, '../floors/echo.mjs');
  return startProgram([process.execPath, file], {
    url: `http://127.0.0.1:${port}/`,
    env: { PORT: String(port) },
  });
}

async function functionUrl(platform: BenchPlatform): Promise<string> {
  const { TriggerInfo } = (await platform.call('CreateTrigger', {
    FunctionName: `${FUNCTION_NAME}-url`,
    TriggerName: 'url',
    Type: 'http',
    TriggerDesc: JSON.stringify({ AuthType: 'NONE', NetConfig: { EnableExtranet: true } }),
  })) as { TriggerInfo: { TriggerDesc: string } };
  const { NetConfig } = JSON.parse(TriggerInfo.TriggerDesc) as { NetConfig: { ExtranetUrl: string } };
  // By path: the load generator does not resolve names below `localhost`.
  const { hostname } = new URL(NetConfig.ExtranetUrl);
  return new URL(`/url/${hostname.split('.')[0]}/`, platform.running.urls.gateway).href;
}

/** Room for the instances of both functions at the most connections: none is ended for the other's sake between rounds. */
const MEMORY_MB = 2 * 80 * 128;
const platform = await BenchPlatform.start({ OPENSCF_INVOKER_MEMORY_MB: String(MEMORY_MB) });
const floor = await startFloor();
const programs = [floor];
try {
  await platform.deploy({ FunctionName: FUNCTION_NAME, Runtime: 'Nodejs24' }, SOURCE);
  await platform.deploy({ FunctionName: `${FUNCTION_NAME}-url`, Runtime: 'Nodejs24' }, URL_SOURCE);
  const url = await functionUrl(platform);
  const started: { name: string; program: Program }[] = [];
  for (const peer of peers) {
    const program = await peer.start();
    started.push({ name: peer.name, program });
    programs.push(program);
  }
  const outside = () => programs.map(({ process: child }) => child.pid ?? 0);
  const rows = [];
  const data: Record<string, Measured[]> = {};
  for (const connections of CONNECTIONS) {
    const sides: [Side, ...Side[]] = [
      plain('bare Node.js echo', floor.url, connections, () => [floor.process.pid ?? 0], false),
      signedInvoke(platform, connections, outside),
      plain('function URL', url, connections, outside, true),
      ...started.map(({ name, program }) =>
        plain(name, program.url, connections, () => [program.process.pid ?? 0], false),
      ),
    ];
    // Instances for this many connections, and everything else, warm.
    for (const side of sides) await side.run();
    const measured = await compare(options.rounds, sides);
    data[`c=${connections}`] = measured;
    for (const m of measured) {
      rows.push([
        `c=${connections}`,
        m.name,
        ratioText(m.throughputRatio),
        ratioText(m.p50Ratio),
        `${Math.round(m.requestsPerSecond)}, ${m.p50Ms.toFixed(2)}, ${m.p99Ms.toFixed(2)}`,
        m.cpuSecondsPer1000.toFixed(2),
        m.failures,
      ]);
    }
  }
  const columns = [
    'connections',
    'side',
    'requests/s, × floor',
    'p50, × floor',
    'req/s, p50, p99 ms',
    'CPU s / 1,000',
    'failures',
  ];
  report({ workload: 'warm-invoke', columns, rows, data }, options.write);
} finally {
  for (const program of programs) await program.stop();
  await platform.stop();
}
