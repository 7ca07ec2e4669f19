import type { InvocationRecord, LogLines } from '@openscf/contracts';
import { Database, sql } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { sharedParts } from '@openscf/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actions, parseShape } from '@openscf/scf-api';
import { InvocationRepository } from '../query/invocation.repository.js';
import { LogQueries } from '../query/queries.service.js';
import { migrations } from './log.migrations.js';
import type { LogTables } from './log.schema.js';
import { dayOf } from './partition.policy.js';
import { Partitions } from './partitions.service.js';
import { RecordRepository } from './record.repository.js';

const DAY_MS = 86_400_000;

function record(requestId: string, fields: Partial<InvocationRecord> = {}): InvocationRecord {
  return {
    requestId,
    retryNum: 0,
    namespace: 'default',
    functionName: 'hello',
    version: '$LATEST',
    qualifier: '$DEFAULT',
    appId: '1250000000',
    source: 'cloud-api',
    invocationType: 'RequestResponse',
    startedAt: Date.now() - 1_000,
    queuedMs: 0,
    placedMs: 0,
    durationMs: 12.5,
    billedMs: 13,
    memoryBytes: 31_457_280,
    memoryMb: 128,
    statusCode: 200,
    result: '"hi"',
    droppedLines: 0,
    printedLines: 0,
    invokerId: 'i1',
    ...fields,
  };
}

function lines(requestId: string, texts: string[], fields: Partial<LogLines> = {}): LogLines {
  return {
    requestId,
    retryNum: 0,
    namespace: 'default',
    functionName: 'hello',
    version: '$LATEST',
    firstSeq: 0,
    lines: texts.map((text, index) => ({ at: Date.now() - 1_000 + index, text })),
    ...fields,
  };
}

/** The whole log of a warm success with the default facts of `record`. */
function logOf(requestId: string, printed: string[], result = '"hi"'): string {
  return [
    `START RequestId: ${requestId}`,
    ...printed,
    `Response RequestId: ${requestId} RetMsg:${result}`,
    `END RequestId: ${requestId}`,
    `Report RequestId: ${requestId} Duration: 13ms Memory: 128MB MemUsage: 30.00MB`,
    `Receipt RequestId: ${requestId} Queued: 0.0ms Placed: 0.0ms Run: 12.5ms Cold: no`,
  ].join('\n');
}

describe('the log store', () => {
  let database: Database<LogTables>;
  let partitions: Partitions;
  let records: RecordRepository;
  let queries: LogQueries;

  const logs = (request: object) =>
    queries.functionLogs(parseShape(actions.GetFunctionLogs.request, request));
  const status = (request: object) =>
    queries.requestStatus(parseShape(actions.GetRequestStatus.request, request));
  const idsOf = async (request: object) => (await logs(request)).Data.map((log) => log.RequestId);

  beforeAll(async () => {
    database = new Database<LogTables>({
      url: sharedParts().postgresUrl,
      schema: 'log',
      migrations,
      logger: silentLogger(),
    });
    await database.prepare();
    partitions = new Partitions(database, 7, silentLogger());
    records = new RecordRepository(database, partitions);
    queries = new LogQueries(new InvocationRepository(database));
  });

  afterAll(() => database.close());

  beforeEach(async () => {
    await sql`truncate invocations, log_lines`.execute(database.kysely);
  });

  it('finds an invocation by its request id, with all its lines in order', async () => {
    await records.insertInvocations([record('r1'), record('r2')]);
    await records.insertLines([
      lines('r1', ['of a part that came first'], { firstSeq: 2 }),
      lines('r1', ['hello', 'again']),
      lines('r2', ['another']),
    ]);
    const answer = await logs({ FunctionName: 'hello', FunctionRequestId: 'r1' });
    expect(answer.TotalCount).toBe(1);
    expect(answer.Data).toEqual([
      {
        FunctionName: 'hello',
        RetMsg: '"hi"',
        RequestId: 'r1',
        StartTime: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
        RetCode: 0,
        InvokeFinished: 1,
        Duration: 12.5,
        BillDuration: 13,
        MemUsage: 31_457_280,
        Log: logOf('r1', ['hello', 'again', 'of a part that came first']),
        Level: '',
        Source: '',
        RetryNum: 0,
      },
    ]);
  });

  it('keeps a batch once, however often it comes', async () => {
    const batch = [record('r1'), record('r1', { retryNum: 1 }), record('r1')];
    const texts = lines('r1', ['a', 'b']);
    for (let i = 0; i < 2; i++) {
      await records.insertInvocations(
        batch.map((each) => ({ ...each, startedAt: batch[0]?.startedAt ?? 0 })),
      );
      await records.insertLines([texts, texts]);
    }
    const answer = await logs({ FunctionRequestId: 'r1', Order: 'asc' });
    expect(answer.TotalCount).toBe(2);
    expect(answer.Data.map((log) => [log.RetryNum, log.Log])).toEqual([
      [0, logOf('r1', ['a', 'b'])],
      [1, logOf('r1', [])],
    ]);
  });

  it('takes what a function may print', async () => {
    await records.insertInvocations([record('r1', { result: 'a\0b' })]);
    await records.insertLines([lines('r1', ['nul \0, half \uD800, quote \' " \\ {},', ''])]);
    const [log] = (await logs({ FunctionRequestId: 'r1' })).Data;
    expect(log?.Log).toBe(logOf('r1', ['nul \uFFFD, half \uFFFD, quote \' " \\ {},', ''], 'a\uFFFDb'));
    expect(log?.RetMsg).toBe('a\uFFFDb');
  });

  it('filters by function, namespace, version, outcome, time and text', async () => {
    const now = Date.now();
    await records.insertInvocations([
      record('ok', { startedAt: now - 10_000 }),
      record('thrown', { statusCode: 430, startedAt: now - 20_000 }),
      record('late', { statusCode: 433, startedAt: now - 30_000 }),
      record('memory', { statusCode: 434, startedAt: now - 40_000 }),
      record('other', { functionName: 'other', startedAt: now - 10_000 }),
      record('elsewhere', { namespace: 'test', startedAt: now - 10_000 }),
      record('old', { startedAt: now - 2 * DAY_MS }),
    ]);
    await records.insertLines([lines('ok', ['Needle in 100% hay'])]);
    const FunctionName = 'hello';
    expect(await idsOf({ FunctionName })).toEqual(['ok', 'thrown', 'late', 'memory']);
    expect(await idsOf({ FunctionName, Order: 'asc', Limit: 2, Offset: 1 })).toEqual(['late', 'thrown']);
    expect(await idsOf({ Namespace: 'test' })).toEqual(['elsewhere']);
    expect(await idsOf({ FunctionName, Qualifier: '$LATEST', Filter: { RetCode: 'is0' } })).toEqual(['ok']);
    expect(await idsOf({ FunctionName, Qualifier: '7' })).toEqual([]);
    expect(await idsOf({ FunctionName, Filter: { RetCode: 'not0' } })).toEqual(['thrown', 'late', 'memory']);
    expect(await idsOf({ FunctionName, Filter: { RetCode: 'TimeLimitExceeded' } })).toEqual(['late']);
    expect(await idsOf({ FunctionName, Filter: { RetCode: 'ResourceLimitExceeded' } })).toEqual(['memory']);
    expect(await idsOf({ FunctionName, Filter: { RetCode: 'UserCodeException' } })).toEqual(['thrown']);
    expect(await idsOf({ FunctionRequestId: 'old' })).toEqual(['old']);
    const text = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
    expect(
      await idsOf({ FunctionName, StartTime: text(now - 2.5 * DAY_MS), EndTime: text(now - 1.6 * DAY_MS) }),
    ).toEqual(['old']);
    const search = (Keyword: string, Type: string) =>
      idsOf({ FunctionName, SearchContext: { Offset: '', Limit: 10, Keyword, Type } });
    expect(await search('needle IN 100%', 'Application')).toEqual(['ok']);
    expect(await search('needle', 'Platform')).toEqual([]);
    expect(await search('start requestid: ok', 'Platform')).toEqual(['ok']);
    expect(await search('start', 'Application')).toEqual([]);
    expect(await search('start', '')).toEqual(['ok', 'thrown', 'late', 'memory']);
  });

  it('finds an invocation by every platform line that its log shows, and counts and pages what it finds', async () => {
    const startedAt = Date.now() - 5_000;
    const cold = {
      reason: 'first' as const,
      pooled: false,
      sandboxMs: 0,
      totalMs: 235.2,
      pullCodeMs: 0,
      initRuntimeMs: 8,
      initFunctionMs: 157.001,
    };
    await records.insertInvocations([
      record('warm', {
        startedAt: startedAt + 2,
        queuedMs: 3,
        placedMs: 0.123,
        durationMs: 0,
        memoryBytes: 1_310_720,
      }),
      record('cold', { startedAt: startedAt + 1, coldStart: { ...cold, memoryBytes: 60_670_123 } }),
      record('failed', {
        startedAt,
        durationMs: 899_999.001,
        memoryBytes: 0,
        statusCode: 433,
        result: `{"it's":"\\%_{}"}`,
        droppedLines: 12,
        coldStart: {
          ...cold,
          reason: 'scale-out',
          pooled: true,
          sandboxMs: 4.567,
          totalMs: 12_345.678,
          memoryBytes: 5_242,
        },
      }),
    ]);
    const search = (Keyword: string, page: object = {}) =>
      logs({
        FunctionName: 'hello',
        ...page,
        SearchContext: { Offset: '', Limit: 0, Keyword, Type: 'Platform' },
      });
    const shown = (await logs({ FunctionName: 'hello' })).Data.flatMap(({ RequestId, Log }) =>
      Log.split('\n').map((line) => ({ RequestId, line })),
    );
    expect(shown).toHaveLength(5 + 6 + 8);
    for (const { RequestId, line } of shown) {
      expect((await search(line)).Data.map((log) => log.RequestId)).toEqual([RequestId]);
    }
    const page = await search('coldstart', { Offset: 1, Limit: 1 });
    expect([page.TotalCount, page.Data.map((log) => log.RequestId)]).toEqual([2, ['failed']]);
  });

  it('waits for the lines of a record that came before them, and not for ever', async () => {
    await records.insertInvocations([record('ahead', { printedLines: 2 })]);
    const asked = logs({ FunctionRequestId: 'ahead' });
    await records.insertLines([lines('ahead', ['one', 'two'])]);
    expect((await asked).Data[0]?.Log).toBe(logOf('ahead', ['one', 'two']));

    await records.insertInvocations([record('cut', { printedLines: 2 })]);
    await records.insertLines([lines('cut', ['one'])]);
    expect((await logs({ FunctionRequestId: 'cut' })).Data[0]?.Log).toBe(logOf('cut', ['one']));
  });

  it('shows no log before its record is there', async () => {
    await records.insertLines([lines('early', ['printed'])]);
    expect(await idsOf({ FunctionRequestId: 'early' })).toEqual([]);
    await records.insertInvocations([record('early')]);
    expect((await logs({ FunctionRequestId: 'early' })).Data[0]?.Log).toBe(logOf('early', ['printed']));
  });

  it('sorts by what is asked', async () => {
    await records.insertInvocations([
      record('a', { durationMs: 1, memoryBytes: 3 }),
      record('b', { durationMs: 3, memoryBytes: 2 }),
      record('c', { durationMs: 2, memoryBytes: 1 }),
    ]);
    expect(await idsOf({ FunctionName: 'hello', OrderBy: 'duration', Order: 'desc' })).toEqual([
      'b',
      'c',
      'a',
    ]);
    expect(await idsOf({ FunctionName: 'hello', OrderBy: 'mem_usage', Order: 'asc' })).toEqual([
      'c',
      'b',
      'a',
    ]);
  });

  it('tells the status of every attempt of a request', async () => {
    await records.insertInvocations([
      record('r1', { statusCode: 430, startedAt: Date.now() - 61_000 }),
      record('r1', { retryNum: 1 }),
      record('r2', { startedAt: Date.now() - 16 * 60_000 }),
    ]);
    const answer = await status({ FunctionName: 'hello', FunctionRequestId: 'r1' });
    expect(answer.TotalCount).toBe(2);
    expect(answer.Data.map((each) => [each.RetryNum, each.RetCode, each.MemUsage])).toEqual([
      [1, 0, 30],
      [0, -1, 30],
    ]);
    expect((await status({ FunctionName: 'hello', FunctionRequestId: 'r2' })).TotalCount).toBe(0);
  });

  it('keeps an answer small enough to be sent', async () => {
    await records.insertInvocations([record('r1'), record('r2'), record('r3')]);
    const megabytes = 'x'.repeat(1_000_000);
    await records.insertLines(['r1', 'r2', 'r3'].map((id) => lines(id, ['begin', megabytes])));
    const answer = await logs({ FunctionName: 'hello' });
    expect(answer.TotalCount).toBe(3);
    expect(answer.Data).toHaveLength(2);
    expect(answer.Data[0]?.Log).toMatch(
      /^START RequestId: r\d\nbegin\nx+\n\[the rest of this log is not shown\]$/,
    );
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(800_000);
  });

  it('makes partitions ahead and for older records, and drops the outdated', async () => {
    const now = Date.now();
    const old = dayOf(now - 9 * DAY_MS);
    await partitions.ensure([old]);
    await records.insertInvocations([
      record('r1', { startedAt: now - 3 * DAY_MS }),
      record('r0', { startedAt: 0 }),
    ]);
    await new Partitions(database, 7, silentLogger()).maintain(now);
    const days = (await partitions.list()).filter(({ table }) => table === 'log_lines').map(({ day }) => day);
    expect(days).toContain(dayOf(now + 2 * DAY_MS));
    expect(days).toContain(dayOf(now - 3 * DAY_MS));
    expect(days).not.toContain(old);
    expect(await idsOf({ FunctionRequestId: 'r0' })).toEqual([]);
  });
});
