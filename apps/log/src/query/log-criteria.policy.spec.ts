import { actions, parseShape } from '@openscf/scf-api';
import { describe, expect, it } from 'vitest';
import { logCriteria, pageOf, statusCriteria } from './log-criteria.policy.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const DAY_MS = 86_400_000;

function criteria(request: object) {
  return logCriteria(parseShape(actions.GetFunctionLogs.request, request), now);
}

describe('logCriteria', () => {
  it('means the last day when no time is given', () => {
    expect(criteria({ FunctionName: 'hello' })).toEqual({
      namespace: 'default',
      functionName: 'hello',
      qualifier: undefined,
      requestId: undefined,
      status: { kind: 'any' },
      keyword: undefined,
      lineType: undefined,
      from: now - DAY_MS,
      until: undefined,
    });
  });

  it('looks for a request id in everything that is kept', () => {
    expect(criteria({ FunctionRequestId: 'r1' })).toMatchObject({
      requestId: 'r1',
      from: undefined,
      until: undefined,
    });
  });

  it('includes the last second, and fills in the other end of a day', () => {
    const StartTime = '2026-11-20 08:00:00';
    const EndTime = '2026-11-20 09:59:59';
    const start = Date.parse('2026-11-20T08:00:00Z');
    const end = Date.parse('2026-11-20T10:00:00Z');
    expect(criteria({ StartTime, EndTime })).toMatchObject({ from: start, until: end });
    expect(criteria({ StartTime })).toMatchObject({ from: start, until: start + DAY_MS });
    expect(criteria({ EndTime })).toMatchObject({ from: end - 1_000 - DAY_MS, until: end });
  });

  it('refuses more than a day and an end before the start', () => {
    expect(() => criteria({ StartTime: '2026-11-20 00:00:00', EndTime: '2026-11-21 00:00:01' })).toThrow(
      /EndTime/,
    );
    expect(() => criteria({ StartTime: '2026-11-20 00:00:01', EndTime: '2026-11-20 00:00:00' })).toThrow(
      /EndTime/,
    );
  });

  it.each([
    ['is0', { kind: 'succeeded' }],
    ['not0', { kind: 'failed' }],
    ['TimeLimitExceeded', { kind: 'codes', codes: [433] }],
    ['UserCodeException', { kind: 'codes', codes: [430, 443] }],
  ])('reads the filter %s', (RetCode, status) => {
    expect(criteria({ Filter: { RetCode } }).status).toEqual(status);
  });

  it('sorts by the start, the newest first, unless told', () => {
    const page = (request: object) => pageOf(parseShape(actions.GetFunctionLogs.request, request));
    expect(page({})).toEqual({ sortBy: 'started_at', order: 'desc', offset: 0, limit: 20 });
    expect(page({ Order: 'asc', OrderBy: 'mem_usage', Offset: 5, Limit: 10 })).toEqual({
      sortBy: 'memory_bytes',
      order: 'asc',
      offset: 5,
      limit: 10,
    });
  });
});

describe('statusCriteria', () => {
  it('means the last 15 minutes when no time is given', () => {
    const request = { FunctionName: 'hello', FunctionRequestId: 'r1' };
    const found = statusCriteria(parseShape(actions.GetRequestStatus.request, request), now);
    expect(found).toMatchObject({
      functionName: 'hello',
      requestId: 'r1',
      from: now - 900_000,
      until: undefined,
    });
  });
});
