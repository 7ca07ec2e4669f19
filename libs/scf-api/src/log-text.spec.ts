import { describe, expect, it } from 'vitest';
import { closingLines, openingLines, piecesOf, type LoggedAttempt } from './log-text.js';

const attempt: LoggedAttempt = {
  requestId: 'r',
  queuedMs: 0.24,
  placedMs: 0.1,
  durationMs: 12.3,
  memoryMb: 128,
  memoryBytes: 30_000_000,
  statusCode: 200,
  result: '"$& {end}"',
  droppedLines: 0,
};
const coldStart = {
  reason: 'scale-out' as const,
  pooled: false,
  sandboxMs: 4.04,
  totalMs: 235.2,
  pullCodeMs: 69.5,
  initRuntimeMs: 8,
  initFunctionMs: 157.1,
  memoryBytes: 60_670_000,
};

describe('the platform lines of a log', () => {
  it('are those of a warm success', () => {
    expect(openingLines(attempt)).toEqual(['START RequestId: r']);
    expect(closingLines(attempt)).toEqual([
      'Response RequestId: r RetMsg:"$& {end}"',
      'END RequestId: r',
      'Report RequestId: r Duration: 13ms Memory: 128MB MemUsage: 28.61MB',
      'Receipt RequestId: r Queued: 0.2ms Placed: 0.1ms Run: 12.3ms Cold: no',
    ]);
  });

  it('tell of a cold start', () => {
    expect(openingLines({ ...attempt, coldStart })).toEqual([
      'START RequestId: r',
      'Init Report RequestId: r Coldstart: 236ms (PullCode: 70ms InitRuntime: 8ms InitFunction: 158ms) Memory: 128MB MemUsage: 57.86MB',
    ]);
    expect(closingLines({ ...attempt, coldStart }).at(-1)).toBe(
      'Receipt RequestId: r Queued: 0.2ms Placed: 0.1ms Code: 69.5ms Sandbox: 4.0ms Runtime: 8.0ms Init: 157.1ms Run: 12.3ms Cold: scale-out',
    );
    const pooled = { ...attempt, coldStart: { ...coldStart, pooled: true } };
    expect(closingLines(pooled).at(-1)).toMatch(/ Cold: scale-out \(pooled\)$/);
  });

  it('tell of a failure and of a log that was cut', () => {
    expect(closingLines({ ...attempt, statusCode: 430, droppedLines: 5 }).slice(0, 2)).toEqual([
      '[PLATFORM] the log was cut at 1 MB or 32768 lines: 5 more lines were dropped',
      'ERROR RequestId: r Result:"$& {end}"',
    ]);
  });

  it('come in pieces for a search', () => {
    expect(piecesOf('response')).toEqual(['Response RequestId: ', 'requestId', ' RetMsg:', 'result', '']);
  });
});
