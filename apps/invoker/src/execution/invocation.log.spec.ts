import { describe, expect, it } from 'vitest';
import { cutText, InvocationLog, MAX_LOG_BYTES } from './invocation.log.js';

describe('invocation log', () => {
  it("numbers the lines and tells the platform's from the function's", () => {
    const log = new InvocationLog();
    log.platform('START');
    log.custom('hello');
    expect(log.lines).toMatchObject([
      { seq: 0, type: 'Platform', level: 'INFO', text: 'START' },
      { seq: 1, type: 'Custom', level: 'INFO', text: 'hello' },
    ]);
  });

  it('keeps 1 MB of what is printed and says how much it dropped', () => {
    const log = new InvocationLog();
    const line = 'x'.repeat(1024);
    for (let i = 0; i < MAX_LOG_BYTES / 1024 + 5; i++) log.custom(line);
    log.noteDropped();
    expect(log.lines).toHaveLength(1025);
    expect(log.lines.at(-1)).toMatchObject({
      level: 'WARN',
      text: '[PLATFORM] the log was cut at 1 MB: 5 more lines were dropped',
    });
  });

  it('ends the tail with whole lines, at most 4 KB', () => {
    const log = new InvocationLog();
    for (let i = 0; i < 100; i++) log.custom(`${i} ${'ü'.repeat(50)}`);
    const tail = log.tail();
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
    expect(tail.split('\n').at(0)).toMatch(/^\d+ ü+$/);
    expect(tail.split('\n').at(-1)).toMatch(/^99 /);
  });

  it('gives the end of a last line that is longer than the tail', () => {
    const log = new InvocationLog();
    log.custom('ü'.repeat(5_000));
    expect(log.tail()).toMatch(/^ü+$/);
    expect(Buffer.byteLength(log.tail())).toBeLessThanOrEqual(4096);
  });

  it('never cuts a text inside a character', () => {
    expect(cutText('ab😀', 3)).toBe('ab…');
    expect(cutText('ab😀', 4)).toBe('ab😀');
  });
});
