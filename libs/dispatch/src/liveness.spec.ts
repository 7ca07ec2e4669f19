import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { done, eventCall, FakeInvokers } from './dispatch.fake.js';

/** An invoker of a few lines in a process of its own: answers pings; of calls only those whose event is `now`. */
const INVOKER = `
const server = require('node:net').createServer((socket) => {
  let rest = Buffer.alloc(0);
  const send = (kind, id, head) => {
    const frame = Buffer.alloc(13 + head.length);
    frame.writeUInt32BE(9 + head.length, 0); frame.writeUInt8(kind, 4);
    frame.writeUInt32BE(id, 5); frame.writeUInt32BE(head.length, 9); frame.write(head, 13);
    socket.write(frame);
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      const kind = rest.readUInt8(4), id = rest.readUInt32BE(5), body = rest.subarray(13 + rest.readUInt32BE(9), end);
      if (kind === 8) send(9, 0, '{}');
      if (kind === 1 && body.toString() === 'now')
        send(2, id, JSON.stringify({ kind: 'succeeded', statusCode: 200, durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' }));
      rest = rest.subarray(end);
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

const options = { timeoutMs: 20_000 };
const invokers = new FakeInvokers();
afterEach(() => invokers.close());

async function startProcess(id: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', INVOKER], { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
  invokers.onClose(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  invokers.announce(id, Number(port.toString()));
  return child;
}

describe('an invoker that does not answer', () => {
  it('costs its calls two seconds when it is stopped, is then avoided, and comes back when it goes on', async () => {
    const child = await startProcess('stopped');
    const dispatcher = invokers.dispatcher();
    expect((await dispatcher.invoke(eventCall, Buffer.from('now'), options)).outcome.kind).toBe('succeeded');

    const underWay = dispatcher.invoke(eventCall, Buffer.from('never'), options);
    child.kill('SIGSTOP');
    const stoppedAt = performance.now();
    expect((await underWay).outcome).toMatchObject({
      kind: 'refused',
      retryable: false,
      message: 'the invoker was lost',
    });
    const lostAfterMs = performance.now() - stoppedAt;
    expect(lostAfterMs).toBeGreaterThan(1_000);
    expect(lostAfterMs).toBeLessThan(5_000);

    // At once, and nothing was run.
    const refusedAt = performance.now();
    const avoided = await dispatcher.invoke(eventCall, Buffer.from('now'), options);
    expect(avoided.outcome).toMatchObject({ kind: 'refused', retryable: true });
    expect(performance.now() - refusedAt).toBeLessThan(1_000);
    await invokers.start('other', { handle: () => Promise.resolve(done('other')) });
    const elsewhere = await dispatcher.invoke(eventCall, Buffer.from('now'), options);
    expect(elsewhere.body.toString()).toBe('other');

    invokers.states.delete('other');
    child.kill('SIGCONT');
    await vi.waitFor(
      async () => {
        const { outcome } = await dispatcher.invoke(eventCall, Buffer.from('now'), options);
        expect(outcome.kind).toBe('succeeded');
      },
      { timeout: 5_000 },
    );
  }, 20_000);

  it('costs its calls nothing but themselves when it is killed', async () => {
    const child = await startProcess('killed');
    const dispatcher = invokers.dispatcher();
    await dispatcher.invoke(eventCall, Buffer.from('now'), options);
    const underWay = dispatcher.invoke(eventCall, Buffer.from('never'), options);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    expect((await underWay).outcome).toMatchObject({ kind: 'refused', message: 'the invoker was lost' });
    expect(performance.now() - killedAt).toBeLessThan(1_000);
  });

  it('is found out without a call when its heartbeat is late', async () => {
    const child = await startProcess('late');
    const warn = vi.fn();
    const dispatcher = invokers.dispatcher({ info: () => undefined, warn });
    await dispatcher.invoke(eventCall, Buffer.from('now'), options);
    child.kill('SIGSTOP');
    const state = invokers.states.get('late');
    if (state !== undefined) invokers.states.set('late', { ...state, sentAt: Date.now() - 6_000 });
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(1), { timeout: 8_000 });
    expect(warn.mock.calls[0]?.[0]).toMatchObject({ invokerId: 'late', reason: 'nothing came for 2000 ms' });
    const { outcome } = await dispatcher.invoke(eventCall, Buffer.from('now'), options);
    expect(outcome).toMatchObject({ kind: 'refused', retryable: true });
  }, 10_000);

  it('is not taken for lost while its function only takes long', async () => {
    await startProcess('slow');
    const dispatcher = invokers.dispatcher();
    const late = await dispatcher.invoke(eventCall, Buffer.from('never'), { timeoutMs: 3_500 });
    expect(late.outcome).toMatchObject({ message: /did not answer within/ });
  }, 10_000);
});
