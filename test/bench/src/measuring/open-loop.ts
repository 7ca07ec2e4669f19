import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedFolder } from '@openscf/infra-local';
import { inCache } from './cache.ts';

const run = promisify(execFile);
/** An open-loop generator: it sends at its rate whatever the answers do, so that a slow answer delays no request. */
const VEGETA = 'github.com/tsenart/vegeta/v12@v12.13.0';

export interface OpenLoopResult {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  highestMs: number;
  failures: number;
}

async function vegeta(): Promise<string> {
  const folder = await cachedFolder(inCache(), 'bench-vegeta', console.log, async (part) => {
    console.log('building the load generator …');
    await run('go', ['install', VEGETA], { env: { ...process.env, GOBIN: part } });
  });
  return join(folder, 'vegeta');
}

/** POSTs the body so often a second, for so many seconds. */
export async function applyRate(load: {
  url: string;
  headers: Record<string, string>;
  body: string;
  perSecond: number;
  seconds: number;
}): Promise<OpenLoopResult> {
  const folder = mkdtempSync(join(tmpdir(), 'openscf-rate-'));
  try {
    const [targets, body, results] = ['targets', 'body', 'results'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const headers = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}`);
    writeFileSync(targets, [`POST ${load.url}`, ...headers, `@${body}`, ''].join('\n'));
    writeFileSync(body, load.body);
    const program = await vegeta();
    const rate = [`-rate=${load.perSecond}`, `-duration=${load.seconds}s`];
    await run(program, ['attack', ...rate, `-targets=${targets}`, `-output=${results}`]);
    const { stdout } = await run(program, ['report', '-type=json', results]);
    const report = JSON.parse(stdout) as {
      requests: number;
      latencies: { '50th': number; '99th': number; max: number };
      status_codes: Record<string, number>;
    };
    const ms = (nanoseconds: number) => nanoseconds / 1e6;
    return {
      requests: report.requests,
      p50Ms: ms(report.latencies['50th']),
      p99Ms: ms(report.latencies['99th']),
      highestMs: ms(report.latencies.max),
      failures: report.requests - (report.status_codes['200'] ?? 0),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
