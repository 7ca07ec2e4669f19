import { aCommand } from '@openscf/testing';
import { describe, expect, it } from 'vitest';
import { QueriesController } from './queries.controller.js';
import { LogQueries } from './queries.service.js';
import type { LogCriteria } from './log-criteria.policy.js';

class InvocationsFake {
  readonly asked: LogCriteria[] = [];

  count(criteria: LogCriteria): Promise<number> {
    this.asked.push(criteria);
    return Promise.resolve(0);
  }

  find(): Promise<[]> {
    return Promise.resolve([]);
  }

  withLogs(): Promise<[]> {
    return Promise.resolve([]);
  }
}

describe('the actions on logs', () => {
  const StartTime = '2026-11-20 08:00:00';
  const EndTime = '2026-11-20 09:00:00';

  it.each([
    ['as text', { StartTime, EndTime }],
    [
      'as the gateway has read them',
      { StartTime: Date.parse(`${StartTime}Z`), EndTime: Date.parse(`${EndTime}Z`) },
    ],
  ])('take times %s', async (_, times) => {
    const invocations = new InvocationsFake();
    const controller = new QueriesController(new LogQueries(invocations));
    const reply = await controller.getFunctionLogs(aCommand({ FunctionName: 'hello', ...times }));
    expect(reply).toMatchObject({ ok: true, response: { TotalCount: 0, Data: [] } });
    expect(invocations.asked[0]).toMatchObject({
      from: Date.parse('2026-11-20T08:00:00Z'),
      until: Date.parse('2026-11-20T09:00:01Z'),
    });
  });

  it('refuse what the shape does not accept', async () => {
    const controller = new QueriesController(new LogQueries(new InvocationsFake()));
    await expect(controller.getRequestStatus(aCommand({ FunctionName: 'hello' }))).rejects.toThrow(
      /FunctionRequestId/,
    );
  });
});
