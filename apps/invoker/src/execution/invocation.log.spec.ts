import type { LoggedAttempt } from '@openscf/scf-api';
import { describe, expect, it } from 'vitest';
import { cutBytes, InvocationLog, MAX_LOG_BYTES, MAX_LOG_LINES } from './invocation.log.js';

const attempt: LoggedAttempt = {
  requestId: 'r',
  queuedMs: 0,
  placedMs: 0.1,
  durationMs: 1,
  memoryMb: 128,
  memoryBytes: 1024 * 1024,
  statusCode: 200,
  result: '"x"',
  droppedLines: 0,
};
const CLOSING = [
  'Response RequestId: r RetMsg:"x"',
  'END RequestId: r',
  'Report RequestId: r Duration: 1ms Memory: 128MB MemUsage: 1.00MB',
  'Receipt RequestId: r Queued: 0.0ms Placed: 0.1ms Run: 1.0ms Cold: no',
];

describe('invocation log', () => {
  it('keeps 1 MB of what is printed and counts what it dropped', () => {
    const log = new InvocationLog();
    const line = 'x'.repeat(1024);
    for (let i = 0; i < MAX_LOG_BYTES / 1024 + 5; i++) log.add(line);
    expect(log.lines).toHaveLength(1024);
    expect(log.droppedLines).toBe(5);
  });

  it('keeps no more empty lines than it may, although they have no bytes', () => {
    const log = new InvocationLog();
    for (let i = 0; i < MAX_LOG_LINES + 5; i++) log.add('');
    expect(log.lines).toHaveLength(MAX_LOG_LINES);
    expect(log.droppedLines).toBe(5);
  });

  it('has the whole of a short log in its tail', () => {
    const log = new InvocationLog();
    log.add('hello');
    expect(log.tail(attempt).split('\n')).toEqual(['START RequestId: r', 'hello', ...CLOSING]);
  });

  it('ends the tail with whole lines, at most 4 KB', () => {
    const log = new InvocationLog();
    for (let i = 0; i < 100; i++) log.add(`${i} ${'ü'.repeat(50)}`);
    const tail = log.tail(attempt);
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
    expect(tail.split('\n').at(0)).toMatch(/^\d+ ü+$/);
    expect(tail.split('\n').slice(-4)).toEqual(CLOSING);
  });

  it('gives the end of a last line that is longer than the tail', () => {
    const log = new InvocationLog();
    const tail = log.tail({ ...attempt, requestId: 'ü'.repeat(5_000) });
    expect(tail).toMatch(/^ü+ Queued: 0\.0ms/);
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
  });

  it('never cuts a text inside a character', () => {
    expect(cutBytes(Buffer.from('ab😀'), 4)).toBe('ab…');
    expect(cutBytes(Buffer.from('ab😀'), 6)).toBe('ab😀');
  });
});
