import { describe, expect, it } from 'vitest';
import type { InvocationRow } from '../store/log.schema.js';
import { ANSWER_BYTES, FittingLogs, functionLog, requestStatus } from './invocation-view.policy.js';

const row: InvocationRow = {
  request_id: 'r1',
  retry_num: 2,
  namespace: 'default',
  function_name: 'hello',
  version: '$LATEST',
  qualifier: '$DEFAULT',
  app_id: '1250000000',
  source: 'timer',
  invocation_type: 'Event',
  started_at: new Date('2026-11-22T12:00:00.750Z'),
  duration_ms: 3_000.25,
  billed_ms: '3001',
  memory_bytes: '1572864',
  memory_mb: 128,
  status_code: 433,
  result: '{"errorCode":-1}',
  queued_ms: 1,
  placed_ms: 0.25,
  cold_start: null,
  invoker_id: 'i1',
  trace_id: null,
  dropped_lines: 0,
  printed_lines: 0,
};

describe('an invocation as the API shows it', () => {
  it('is a log with numbers where the SDKs read numbers', () => {
    expect(functionLog({ invocation: row, printed: 'a\nb', printedCut: false })).toEqual({
      FunctionName: 'hello',
      RetMsg: '{"errorCode":-1}',
      RequestId: 'r1',
      StartTime: '2026-11-22 12:00:00',
      RetCode: 1,
      InvokeFinished: 1,
      Duration: 3_000.25,
      BillDuration: 3_001,
      MemUsage: 1_572_864,
      Log: [
        'START RequestId: r1',
        'a',
        'b',
        'ERROR RequestId: r1 Result:{"errorCode":-1}',
        'Response RequestId: r1 RetMsg:{"errorCode":-1}',
        'END RequestId: r1',
        'Report RequestId: r1 Duration: 3001ms Memory: 128MB MemUsage: 1.50MB',
        'Receipt RequestId: r1 Queued: 1.0ms Placed: 0.3ms Run: 3000.3ms Cold: no',
      ].join('\n'),
      Level: '',
      Source: '',
      RetryNum: 2,
    });
  });

  it('has no lines between those of the platform when nothing was printed, and ends where it is cut', () => {
    const silent = functionLog({ invocation: row, printed: undefined, printedCut: false });
    expect(silent.Log).toMatch(/^START RequestId: r1\nERROR /);
    const cut = functionLog({ invocation: row, printed: 'a', printedCut: true });
    expect(cut.Log).toBe('START RequestId: r1\na\n[the rest of this log is not shown]');
  });

  it('is a status with memory in MB and -1 for a failure', () => {
    expect(requestStatus(row)).toMatchObject({ RetCode: -1, MemUsage: 1.5, RetryNum: 2 });
    expect(requestStatus({ ...row, status_code: 200 }).RetCode).toBe(0);
  });
});

describe('FittingLogs', () => {
  const log = (Log: string) => functionLog({ invocation: row, printed: Log, printedCut: false });

  it('leaves what is too much to the next page', () => {
    const fitting = new FittingLogs();
    const third = 'x'.repeat(ANSWER_BYTES / 3);
    expect([log(third), log(third), log(third)].map((each) => fitting.add(each))).toEqual([
      true,
      true,
      false,
    ]);
    expect(fitting.logs).toHaveLength(2);
  });

  it.each(['x', '"', '\u0001', '中'])('cuts one log that is too long alone, made of %j', (character) => {
    const fitting = new FittingLogs();
    expect(fitting.add(log(character.repeat(ANSWER_BYTES)))).toBe(true);
    expect(fitting.add(log(''))).toBe(false);
    const [only] = fitting.logs;
    expect(only?.Log).toMatch(/\[the rest of this log is not shown\]$/);
    expect(only?.Log.length).toBeGreaterThan(50_000);
    expect(Buffer.byteLength(JSON.stringify(only))).toBeLessThanOrEqual(ANSWER_BYTES);
  });
});
