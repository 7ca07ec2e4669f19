import { describe, expect, it } from 'vitest';
import { logOf } from './function.logs.js';
import { makeFunction } from './function.fixture.js';
import { cloud, codeOf } from './platform.js';
import { until } from './until.js';
import { zipOf } from './zip.factory.js';

describe('a function through the official SDK', () => {
  it('is created, invoked both ways, read, updated and deleted', async () => {
    const fn = await makeFunction({
      source: `exports.main_handler = async (event) => { console.log('seen', event.n); return { first: event.n } }`,
    });

    const sync = await fn.invoke({ n: 1 });
    expect(sync).toMatchObject({ InvokeResult: 0, RetMsg: '{"first":1}', ErrMsg: '' });
    expect(sync.Log).toContain('seen 1');
    expect(sync.Duration).toBeGreaterThan(0);
    expect(sync.MemUsage).toBeGreaterThan(0);

    const requestId = await fn.invokeAsync({ n: 2 });
    const log = await logOf(fn.name, requestId);
    expect(log).toMatchObject({ RetMsg: '{"first":2}', RetCode: 0, RetryNum: 0 });
    expect(log.Log).toMatch(new RegExp(`START RequestId: ?${requestId}`));
    expect(log.Log).toContain('seen 2');
    expect(log.Log).toMatch(new RegExp(`END RequestId: ?${requestId}`));

    const status = await until('the status of the request', async () => {
      const { Data = [] } = await cloud.GetRequestStatus({
        FunctionName: fn.name,
        FunctionRequestId: requestId,
      });
      return Data[0];
    });
    expect(status).toMatchObject({ RequestId: requestId, RetCode: 0, RetMsg: '{"first":2}' });

    await fn.updateCode(await zipOf({ 'index.js': `exports.main_handler = async () => 'second'` }));
    expect(await fn.invoke()).toMatchObject({ InvokeResult: 0, RetMsg: '"second"' });

    await fn.remove();
    expect(await codeOf(cloud.GetFunction({ FunctionName: fn.name }))).toMatch(/^ResourceNotFound\.Function/);
    expect(await codeOf(fn.invoke())).toMatch(/^ResourceNotFound\.Function/);
  });

  it('finds its log by request id within a second of the end', async () => {
    const fn = await makeFunction({ source: `exports.main_handler = async () => 1` });
    const { FunctionRequestId } = await fn.invoke();
    const log = await logOf(fn.name, FunctionRequestId, 1_000);
    expect(log.RetMsg).toBe('1');
  });

  it('is listed with the settings that it was given', async () => {
    const fn = await makeFunction({
      source: `exports.main_handler = async () => process.env.GREETING`,
      MemorySize: 256,
      Timeout: 7,
      Environment: { Variables: [{ Key: 'GREETING', Value: '你好' }] },
    });
    expect(await fn.invoke()).toMatchObject({ RetMsg: '"你好"' });
    const { Functions = [] } = await cloud.ListFunctions({ SearchKey: fn.name });
    expect(Functions.map((each) => each.FunctionName)).toEqual([fn.name]);
    expect(await cloud.GetFunction({ FunctionName: fn.name })).toMatchObject({
      MemorySize: 256,
      Timeout: 7,
      Status: 'Active',
      FunctionVersion: '$LATEST',
    });
    await cloud.UpdateFunctionConfiguration({
      FunctionName: fn.name,
      Environment: { Variables: [{ Key: 'GREETING', Value: 'hello' }] },
    });
    await until('the new environment', async () => (await fn.invoke()).RetMsg === '"hello"');
  });

  it('reports a cold start once and reuses the instance', async () => {
    const fn = await makeFunction({ source: `let n = 0; exports.main_handler = async () => ++n` });
    const first = await fn.invoke();
    const second = await fn.invoke();
    expect([first.RetMsg, second.RetMsg]).toEqual(['1', '2']);
    const cold = await logOf(fn.name, first.FunctionRequestId);
    expect(cold.Log).toMatch(
      /Init Report RequestId: \S+ Coldstart: \d+ms \(PullCode: \d+ms InitRuntime: \d+ms InitFunction: \d+ms\)/,
    );
    const warm = await logOf(fn.name, second.FunctionRequestId);
    expect(warm.Log).not.toContain('Init Report');
  });

  it('gives the context of SCF', async () => {
    const fn = await makeFunction({ source: `exports.main_handler = async (event, context) => context` });
    const result = await fn.invoke();
    expect(JSON.parse(result.RetMsg)).toMatchObject({
      request_id: result.FunctionRequestId,
      function_name: fn.name,
      function_version: '$LATEST',
      namespace: 'default',
      memory_limit_in_mb: 128,
      time_limit_in_ms: 10_000,
      tencentcloud_region: 'ap-guangzhou',
    });
  });
});
