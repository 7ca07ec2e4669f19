import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { done, eventCall, FakeInvokers } from './dispatch.fake.js';
import type { CallerPresence, DispatchServer, DispatchServerOptions } from './dispatch.server.js';
import { refused, throttled, type DispatchResult } from './outcome.factory.js';

const options = { timeoutMs: 5_000, runtime: 'Nodejs18.15' };

describe('Dispatcher', () => {
  const invokers = new FakeInvokers();

  afterEach(() => invokers.close());

  function invoker(id: string, handle: DispatchServerOptions['handle']): Promise<DispatchServer> {
    return invokers.start(id, { handle });
  }

  async function unusedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  it('brings the event there and the result back', async () => {
    await invoker('a', (received, event) =>
      Promise.resolve(done(`${received.requestId} ${event.toString()}`)),
    );
    const { outcome, body } = await invokers
      .dispatcher()
      .invoke(eventCall, Buffer.from('{"k":"v"}'), options);
    expect(outcome.kind).toBe('succeeded');
    expect(body.toString()).toBe('r-1 {"k":"v"}');
  });

  it('keeps answers apart that come out of order', async () => {
    const waiting: (() => void)[] = [];
    await invoker('a', async (received) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return done(received.requestId);
    });
    const sender = invokers.dispatcher();
    const answers = Promise.all(
      ['x', 'y', 'z'].map((requestId) =>
        sender.invoke({ ...eventCall, requestId }, Buffer.from('1'), options),
      ),
    );
    await vi.waitFor(() => expect(waiting).toHaveLength(3));
    for (const go of waiting.reverse()) go();
    expect((await answers).map((a) => a.body.toString())).toEqual(['x', 'y', 'z']);
  });

  it('asks the next invoker when one is full, and says throttled when all are', async () => {
    const full = vi.fn(() => Promise.resolve(throttled('full')));
    await invoker('a', full);
    await invoker('b', full);
    const sender = invokers.dispatcher();
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).outcome.kind).toBe('throttled');
    expect(full).toHaveBeenCalledTimes(2);
    await invoker('c', () => Promise.resolve(done('c')));
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).body.toString()).toBe('c');
  });

  it('goes on after a refusal that may be retried, and stops at one that may not', async () => {
    await invoker('a', () => Promise.resolve(refused('no disk', { retryable: true })));
    const sender = invokers.dispatcher();
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).outcome).toMatchObject({
      message: 'no disk',
    });
    invokers.states.clear();
    const last = vi.fn(() => Promise.resolve(refused('broken', { statusCode: 500, retryable: false })));
    await invoker('b', last);
    await invoker('c', last);
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).outcome).toMatchObject({
      message: 'broken',
    });
    expect(last).toHaveBeenCalledTimes(1);
  });

  it('tries another invoker when one cannot be reached', async () => {
    invokers.announce('gone-1', await unusedPort());
    invokers.announce('gone-2', await unusedPort());
    await invoker('b', () => Promise.resolve(done('b')));
    expect((await invokers.dispatcher().invoke(eventCall, Buffer.from('1'), options)).body.toString()).toBe(
      'b',
    );
  });

  it('does not run a call a second time when the connection breaks under it', async () => {
    const servers: { destroy(): void }[] = [];
    const seen = vi.fn();
    for (const id of ['a', 'b']) {
      const server = createServer((socket) => {
        servers.push(socket);
        socket.on('data', () => {
          seen();
          socket.destroy();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      invokers.onClose(() => server.close());
      const address = server.address();
      invokers.announce(id, typeof address === 'object' && address !== null ? address.port : 0);
    }
    const { outcome } = await invokers.dispatcher().invoke(eventCall, Buffer.from('1'), options);
    expect(outcome).toMatchObject({
      kind: 'refused',
      statusCode: 500,
      retryable: false,
      message: 'the invoker was lost',
    });
    expect(seen).toHaveBeenCalledTimes(1);
  });

  it('connects again after an invoker has come back', async () => {
    const first = await invoker('a', () => Promise.resolve(done('first')));
    const sender = invokers.dispatcher();
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).body.toString()).toBe('first');
    await first.close();
    await invoker('a', () => Promise.resolve(done('second')));
    invokers.announce('a', Number(invokers.states.get('a')?.address.split(':')[1]), { epoch: 'e2' });
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).body.toString()).toBe('second');
  });

  it('prefers fresh heartbeats, and uses stale ones when there is nothing else', async () => {
    await invoker('stale', () => Promise.resolve(done('stale')));
    const stale = invokers.states.get('stale');
    if (stale !== undefined) invokers.states.set('stale', { ...stale, sentAt: Date.now() - 60_000 });
    const sender = invokers.dispatcher();
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).body.toString()).toBe('stale');
    await invoker('fresh', () => Promise.resolve(done('fresh')));
    expect((await sender.invoke(eventCall, Buffer.from('1'), options)).body.toString()).toBe('fresh');
  });

  it('names what is missing when no invoker can run it', async () => {
    const sender = invokers.dispatcher();
    const nobody = await sender.invoke(eventCall, Buffer.from('1'), options);
    expect(nobody.outcome).toMatchObject({
      kind: 'refused',
      retryable: true,
      message: /no invoker is available/,
    });
    await invoker('a', () => Promise.resolve(done('a')));
    const wrong = await sender.invoke(eventCall, Buffer.from('1'), { ...options, runtime: 'Php8.0' });
    expect(wrong.outcome).toMatchObject({ kind: 'refused', message: 'no invoker has the runtime Php8.0' });
  });

  it('lets go of a caller that hangs up, and tells the invoker', async () => {
    const seen: CallerPresence[] = [];
    await invoker('a', (_call, _event, caller) => {
      seen.push(caller);
      return new Promise<DispatchResult>(() => undefined);
    });
    const abort = new AbortController();
    const answer = invokers
      .dispatcher()
      .invoke(eventCall, Buffer.from('1'), { ...options, signal: abort.signal });
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    abort.abort();
    expect((await answer).outcome).toMatchObject({ kind: 'refused', statusCode: 499 });
    await vi.waitFor(() => expect(seen[0]?.gone).toBe(true));
  });

  it('gives up when no outcome comes in time', async () => {
    await invoker('a', () => new Promise<DispatchResult>(() => undefined));
    const { outcome } = await invokers.dispatcher().invoke(eventCall, Buffer.from('1'), { timeoutMs: 20 });
    expect(outcome).toMatchObject({ kind: 'refused', statusCode: 500, retryable: false });
  });
});
