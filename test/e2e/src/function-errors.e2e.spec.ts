import { describe, expect, it } from 'vitest';
import { logOf } from './function.logs.js';
import { makeFunction, type FunctionSettings } from './function.fixture.js';

interface ErrorCase {
  what: string;
  settings: FunctionSettings;
  statusCode: number;
  message: RegExp;
  /** What of it the user finds in the log besides the message. */
  log?: RegExp;
}

/** Each is harmless when the event says so, to see that the next call works. */
function js(body: string): string {
  return `exports.main_handler = async (event) => {\n  if (event.ok) return 'fine';\n  ${body}\n};\n`;
}
function py(body: string): string {
  return `def main_handler(event, context):\n    if event.get("ok"): return "fine"\n    ${body}\n`;
}

const HOG = 'const all = []; for (;;) all.push(Buffer.alloc(8e6, 1));';

const recovering: ErrorCase[] = [
  {
    what: 'throws',
    settings: { source: js(`throw new TypeError('it broke');`) },
    statusCode: 430,
    message: /it broke/,
    log: /index\.js:3/,
  },
  {
    what: 'returns what is not JSON',
    settings: { source: js(`return 10n;`) },
    statusCode: 430,
    message: /JSON|BigInt/,
  },
  {
    what: 'runs past its time',
    settings: { source: js(`await new Promise(() => setInterval(() => {}, 1000));`), Timeout: 1 },
    statusCode: 433,
    message: /timed out after 1 second/,
  },
  {
    what: 'never gives up the processor',
    settings: { source: js(`for (;;);`), Timeout: 1 },
    statusCode: 433,
    message: /timed out after 1 second/,
  },
  {
    what: 'eats its memory',
    settings: { source: js(HOG), Timeout: 20 },
    statusCode: 434,
    message: /memory/i,
  },
  {
    what: 'exits',
    settings: { source: js(`process.exit(3);`) },
    statusCode: 439,
    message: /exit/i,
  },
  {
    what: 'raises in Python',
    settings: { source: py('raise ValueError("it broke")'), Runtime: 'Python3.11' },
    statusCode: 430,
    message: /it broke/,
    log: /index\.py.*line 3/,
  },
  {
    what: 'returns what is not JSON in Python',
    settings: { source: py('return {1, 2}'), Runtime: 'Python3.11' },
    statusCode: 430,
    message: /JSON/,
  },
  {
    what: 'exits in Python',
    settings: { source: py('import os; os._exit(1)'), Runtime: 'Python3.11' },
    statusCode: 439,
    message: /exit/i,
  },
];

/** No call of these can work. */
const lasting: ErrorCase[] = [
  {
    what: 'has no handler',
    settings: { source: 'exports.other = () => 1' },
    statusCode: 437,
    message: /main_handler/,
  },
  {
    what: 'has no file for its handler',
    settings: { source: '', Handler: 'missing.main_handler' },
    statusCode: 437,
    message: /missing/,
  },
  {
    what: 'imports a missing module',
    settings: { source: `require('left-out'); exports.main_handler = () => 1` },
    statusCode: 443,
    message: /left-out/,
  },
  {
    what: 'imports a missing module in Python',
    settings: { source: 'import left_out\ndef main_handler(event, context): pass', Runtime: 'Python3.11' },
    statusCode: 443,
    message: /left_out/,
  },
];

describe('a function that fails', () => {
  it.each(recovering)('$what: $statusCode, and the next call works', async (each) => {
    const fn = await makeFunction(each.settings);
    await expectFailure(fn, each);
    expect(await fn.invoke({ ok: true })).toMatchObject({ InvokeResult: 0, RetMsg: '"fine"' });
  });

  it.each(lasting)('$what: $statusCode', async (each) => {
    const fn = await makeFunction(each.settings);
    await expectFailure(fn, each);
    await expectFailure(fn, each);
  });
});

async function expectFailure(fn: Awaited<ReturnType<typeof makeFunction>>, each: ErrorCase): Promise<void> {
  const result = await fn.invoke();
  expect(result.InvokeResult).toBe(1);
  const error = JSON.parse(result.RetMsg) as Record<string, unknown>;
  expect(error).toMatchObject({ errorCode: -1, statusCode: each.statusCode });
  expect(error['requestId']).toBe(result.FunctionRequestId);
  const told = `${String(error['errorMessage'])}\n${String(error['stackTrace'] ?? '')}\n${result.ErrMsg}`;
  expect(told).toMatch(each.message);
  const log = await logOf(fn.name, result.FunctionRequestId);
  expect(log.RetCode).not.toBe(0);
  expect(log.Log).toMatch(each.message);
  if (each.log) expect(log.Log).toMatch(each.log);
}
