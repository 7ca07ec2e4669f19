/**
 * Workload 1: warm sync invoke. Signed `InvokeFunction` of a function that returns its event, against a bare Node.js echo.
 * Usage: node test/bench/src/warm-invoke.ts [--seconds 5] [--rounds 5] [--connections 1,16,64] [--write]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPlatform, type Running } from '@openscf/infra-local';
import { cpuSeconds } from './cpu.ts';
import { zipOf } from './zip.ts';
import { applyLoad } from './load.ts';
import { writeReport, type Row } from './report.ts';
import { compare } from './rounds.ts';
import { signedHeaders } from './tc3.ts';

const FUNCTION_NAME = 'bench-echo';
const SOURCE = 'exports.main_handler = async (event) => event;\n';
const EVENT = JSON.stringify({ payload: 'x'.repeat(1_000) });

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '1,16,64' },
    write: { type: 'boolean', default: false },
  },
});

async function call(platform: Running, action: string, request: object): Promise<string> {
  const body = JSON.stringify(request);
  const headers = signedHeaders({ host: hostOf(platform), action, body, ...platform.keys });
  const response = await fetch(platform.urls.gateway, { method: 'POST', headers, body });
  const text = await response.text();
  if (text.includes('"Error"')) throw new Error(`${action}: ${text}`);
  return text;
}

function hostOf(platform: Running): string {
  return new URL(platform.urls.gateway).host;
}

async function startFloor(): Promise<{ process: ChildProcess; url: string }> {
  const floor = spawn(process.execPath, [join(import.meta.dirname, 'echo-floor.mjs')], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(floor.stdout, 'data')) as [Buffer];
  return { process: floor, url: `http://127.0.0.1:${port.toString().trim()}/` };
}

async function measure(platform: Running, floor: { process: ChildProcess; url: string }): Promise<Row[]> {
  const rows: Row[] = [];
  const seconds = Number(options.seconds);
  const body = JSON.stringify({ FunctionName: FUNCTION_NAME, Event: EVENT });
  for (const connections of options.connections.split(',').map(Number)) {
    const ours = {
      run: () => {
        const headers = signedHeaders({
          host: hostOf(platform),
          action: 'InvokeFunction',
          body,
          ...platform.keys,
        });
        const expect = '"InvokeResult":0';
        return applyLoad({ url: platform.urls.gateway, headers, body, connections, seconds, expect });
      },
      cpuSeconds: () => cpuSeconds([process.pid], 'openscf') - cpuSeconds([floor.process.pid ?? 0]),
    };
    const bare = {
      run: () =>
        applyLoad({ url: floor.url, headers: {}, body: EVENT, connections, seconds, expect: 'payload' }),
      cpuSeconds: () => cpuSeconds([floor.process.pid ?? 0]),
    };
    await ours.run(); // instances for this many connections, warm
    rows.push({ name: `c=${connections}`, comparison: await compare(Number(options.rounds), ours, bare) });
  }
  return rows;
}

const home = mkdtempSync(join(tmpdir(), 'openscf-bench-'));
const platform = await startPlatform({ home });
const floor = await startFloor();
try {
  const ZipFile = (await zipOf({ 'index.js': SOURCE })).toString('base64');
  const configuration = { Runtime: 'Nodejs24', Handler: 'index.main_handler', MemorySize: 128, Timeout: 10 };
  await call(platform, 'CreateFunction', {
    FunctionName: FUNCTION_NAME,
    Code: { ZipFile },
    ...configuration,
  });
  const rows = await measure(platform, floor);
  if (options.write) writeReport('warm-invoke', rows);
  console.log(JSON.stringify(rows, null, 2));
} finally {
  floor.process.kill();
  await platform.stop();
  rmSync(home, { recursive: true, force: true });
}
