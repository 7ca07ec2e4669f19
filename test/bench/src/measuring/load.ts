import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Load {
  url: string;
  headers: Record<string, string>;
  body: string;
  connections: number;
  seconds: number;
  /** Text that every good answer contains; an answer without it is counted as a failure. */
  expect: string;
}

export interface LoadResult {
  requests: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Transport errors, answers that are not 200, and answers without the expected text. */
  failures: number;
}

/** Closed-loop load by wrk (C, one thread), so that the generator does not compete in JavaScript. */
export async function applyLoad(load: Load): Promise<LoadResult> {
  const dir = mkdtempSync(join(tmpdir(), 'openscf-load-'));
  try {
    const script = join(dir, 'load.lua');
    writeFileSync(script, luaScript(load));
    const args = [
      '-t1',
      `-c${load.connections}`,
      `-d${load.seconds}s`,
      '--timeout',
      '30s',
      '-s',
      script,
      load.url,
    ];
    const { stdout, stderr } = await promisify(execFile)('wrk', args, { maxBuffer: 1 << 20 });
    const line = stdout.split('\n').find((text) => text.startsWith('RESULT '));
    if (!line) throw new Error(`wrk printed no result:\n${stdout}${stderr}`);
    const [requests = 0, microseconds = 1, p50 = 0, p99 = 0, failures = 0] = line
      .slice(7)
      .split(' ')
      .map(Number);
    const seconds = microseconds / 1e6;
    return {
      requests,
      requestsPerSecond: requests / seconds,
      p50Ms: p50 / 1000,
      p99Ms: p99 / 1000,
      failures,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function luaScript({ headers, body, expect }: Load): string {
  const text = (value: string) => `[==[${value}]==]`;
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[ ${text(name)} ] = ${text(value)}`,
  );
  return `
wrk.method = "POST"
wrk.body = ${text(body)}
${lines.join('\n')}
local threads = {}
function setup(thread) table.insert(threads, thread) end
wrong = 0
function response(status, _, body)
  if status ~= 200 or not string.find(body, ${text(expect)}, 1, true) then wrong = wrong + 1 end
end
function done(summary, latency)
  local e = summary.errors
  local failures = e.connect + e.read + e.write + e.timeout
  for _, thread in ipairs(threads) do failures = failures + thread:get("wrong") end
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failures))
end
`;
}
