import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  currentTraceId,
  currentTraceparent,
  injectTrace,
  isTracing,
  startTelemetry,
  traceIdOf,
  withSpan,
} from './index.js';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('without an endpoint', () => {
  it('does nothing but run the function', async () => {
    const telemetry = await startTelemetry('gateway', { otlpEndpoint: undefined });
    const headers = {};
    const result = await withSpan('span', { parent: PARENT }, (span) => {
      span.setAttribute('a', 1);
      injectTrace(headers);
      return currentTraceparent() ?? 'nothing';
    });
    expect([isTracing(), result, headers]).toEqual([false, 'nothing', {}]);
    await telemetry.stop();
  });
});

describe('with an endpoint', () => {
  const posted: { path: string; body: string }[] = [];
  let collector: Server;
  let endpoint: string;

  beforeAll(async () => {
    collector = createServer((request, response) => {
      void buffer(request).then((body) => {
        posted.push({ path: request.url ?? '', body: body.toString('latin1') });
        response.end();
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => collector.close(resolve)));

  it('continues the trace of the parent, passes it on, and sends the spans when it stops', async () => {
    const telemetry = await startTelemetry('gateway', { otlpEndpoint: endpoint });
    expect(isTracing()).toBe(true);
    const seen = await withSpan(
      'outer',
      { parent: PARENT, kind: 'server', attributes: { 'request.id': 'r-1' } },
      () =>
        withSpan('inner', { kind: 'client' }, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          const headers: Record<string, string> = {};
          injectTrace(headers);
          return { headers, traceId: currentTraceId() };
        }),
    );
    const traceId = traceIdOf(PARENT);
    expect(seen.traceId).toBe(traceId);
    expect(seen.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(seen.headers['traceparent']).not.toBe(PARENT);
    const failing = withSpan('failing', {}, () => Promise.reject(new Error('told to the span')));
    await expect(failing).rejects.toThrow('told to the span');
    await telemetry.stop();
    expect(isTracing()).toBe(false);
    const bodies = posted.map(({ body }) => body).join('');
    for (const text of ['outer', 'inner', 'failing', 'r-1', 'told to the span', 'gateway'])
      expect(bodies).toContain(text);
    expect(new Set(posted.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
  });
});

describe('traceIdOf', () => {
  it.each([
    [PARENT, '0af7651916cd43dd8448eb211c80319c'],
    ['nonsense', undefined],
    [undefined, undefined],
  ])('%s → %s', (traceparent, expected) => {
    expect(traceIdOf(traceparent)).toBe(expected);
  });
});
