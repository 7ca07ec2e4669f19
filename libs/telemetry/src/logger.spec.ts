import { describe, expect, it } from 'vitest';
import { createLogger, type Logger, type LogLevel } from './logger.js';

function capture(level: LogLevel = 'info'): { logger: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { logger: createLogger('gateway', level, destination), lines };
}

describe('createLogger', () => {
  it('writes one JSON object with a fixed message and the fields apart', () => {
    const { logger, lines } = capture();
    logger.child({ requestId: 'r-1' }).info({ status: 200 }, 'request done');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        service: 'gateway',
        requestId: 'r-1',
        status: 200,
        msg: 'request done',
      },
    ]);
  });

  it('keeps stack and cause of an error', () => {
    const { logger, lines } = capture();
    logger.warn({ error: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(JSON.stringify(lines[0])).toMatch(/outer.*inner/);
  });

  it('is silent below its level', () => {
    const { logger, lines } = capture('warn');
    logger.info('not now');
    expect(lines).toEqual([]);
  });

  it('never writes secrets', () => {
    const { logger, lines } = capture();
    const state = { functionName: 'f', environment: { DB: 'hunter2' } };
    logger.info(
      { secretKey: 'hunter2', caller: { password: 'hunter2' }, message: { value: state } },
      'careless',
    );
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(JSON.stringify(lines)).toContain('[secret]');
  });
});
