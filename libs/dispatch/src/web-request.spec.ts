import { createHash, randomBytes } from 'node:crypto';
import { WEB_WINDOW_BYTES, type WebResponse } from '@openscf/contracts';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { done, FakeInvokers, webCall } from './dispatch.fake.js';
import type { Dispatcher } from './dispatcher.js';
import { refused, throttled, type DispatchResult } from './outcome.factory.js';
import type { OutgoingWebRequest, WebRequestEvents } from './outgoing-web-request.js';
import type { WebExchange } from './web-exchange.js';

const options = { timeoutMs: 5_000, runtime: 'Nodejs18.15' };
const OK: WebResponse = { status: 200, headers: [['content-type', 'text/plain']] };

const invokers = new FakeInvokers();
afterEach(() => invokers.close());

interface Sent {
  request: OutgoingWebRequest;
  response: WebResponse | undefined;
  pieces: Buffer[];
  ended: boolean;
  outcome: Promise<DispatchResult>;
}

/** Takes everything at once unless `take` says otherwise. */
function send(dispatcher: Dispatcher, more: Partial<WebRequestEvents> = {}): Sent {
  const { promise, resolve } = Promise.withResolvers<DispatchResult>();
  const sent: Partial<Sent> = { response: undefined, pieces: [], ended: false, outcome: promise };
  sent.request = dispatcher.request(webCall, options, {
    onResponse: (response) => (sent.response = response),
    onData: (piece) => {
      sent.pieces?.push(Buffer.from(piece));
      sent.request?.consumed(piece.length);
    },
    onEnd: () => (sent.ended = true),
    onWritable: () => undefined,
    onOutcome: resolve,
    ...more,
  });
  return sent as Sent;
}

/** Reads the whole body, then answers with its hash. */
function hashing(exchange: WebExchange): Promise<DispatchResult> {
  const hash = createHash('sha256');
  return new Promise((resolve) => {
    exchange.attach({
      onData: (piece) => {
        hash.update(piece);
        exchange.grant(piece.length);
      },
      onEnd: () => {
        exchange.respond(OK);
        exchange.data(Buffer.from(hash.digest('hex')));
        exchange.end();
        resolve(done());
      },
      onGrant: () => undefined,
      onCancel: () => resolve(done()),
    });
  });
}

async function sendAll(request: OutgoingWebRequest, bytes: Buffer, writable: () => Promise<void>) {
  for (let at = 0; at < bytes.length; at += 100_000) {
    if (!request.send(bytes.subarray(at, at + 100_000))) await writable();
  }
  request.end();
}

/** A promise for each time that more may be sent. */
function writability(): { onWritable: () => void; next: () => Promise<void> } {
  let wake = (): void => undefined;
  return { onWritable: () => wake(), next: () => new Promise((resolve) => (wake = resolve)) };
}

describe('a web request', () => {
  it('brings head and body there, and response, body and outcome back, in this order', async () => {
    const seen: unknown[] = [];
    await invokers.start('a', {
      handleWeb: (exchange) => {
        seen.push(exchange.call.web);
        return hashing(exchange);
      },
    });
    const sent = send(invokers.dispatcher());
    sent.request.send(Buffer.from('hello'));
    sent.request.end();
    expect((await sent.outcome).outcome.kind).toBe('succeeded');
    expect(seen).toEqual([webCall.web]);
    expect(sent.response).toEqual(OK);
    expect(Buffer.concat(sent.pieces).toString()).toBe(createHash('sha256').update('hello').digest('hex'));
    expect(sent.ended).toBe(true);
  });

  it('carries megabytes there', async () => {
    await invokers.start('a', { handleWeb: hashing });
    const writable = writability();
    const sent = send(invokers.dispatcher(), { onWritable: writable.onWritable });
    const bytes = randomBytes(5_000_000);
    await sendAll(sent.request, bytes, writable.next);
    await sent.outcome;
    expect(Buffer.concat(sent.pieces).toString()).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('keeps both directions to their windows, whatever the sizes and whoever is slow', async () => {
    await invokers.start('a', { handleWeb: echoing });
    const dispatcher = invokers.dispatcher();
    const sizes = fc.array(fc.nat(200_000), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 20 }),
        async (chunks, takes) => {
          const bytes = randomBytes(chunks.reduce((sum, size) => sum + size, 0));
          const writable = writability();
          const received: Buffer[] = [];
          let owed = 0;
          let mostOwed = 0;
          const slow = [...takes];
          const takeSome = (): void => {
            const taken = Math.min(owed, slow.shift() ?? owed);
            owed -= taken;
            if (taken > 0) sent.request.consumed(taken);
            if (owed > 0) setImmediate(takeSome);
          };
          const sent = send(dispatcher, {
            onWritable: writable.onWritable,
            onData: (piece) => {
              received.push(Buffer.from(piece));
              if (owed === 0) setImmediate(takeSome);
              owed += piece.length;
              mostOwed = Math.max(mostOwed, owed);
            },
          });
          let at = 0;
          for (const size of chunks) {
            const isTaken = sent.request.send(bytes.subarray(at, at + size));
            at += size;
            if (!isTaken) await writable.next();
          }
          sent.request.end();
          expect((await sent.outcome).outcome.kind).toBe('succeeded');
          expect(Buffer.concat(received).equals(bytes)).toBe(true);
          expect(mostOwed).toBeLessThanOrEqual(WEB_WINDOW_BYTES);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes to the next invoker with all of its body when one has no room', async () => {
    const full = vi.fn((exchange: WebExchange) => {
      return new Promise<DispatchResult>((resolve) => {
        exchange.attach({
          onData: () => undefined,
          onEnd: () => resolve(throttled('full')),
          onGrant: () => undefined,
          onCancel: () => undefined,
        });
      });
    });
    await invokers.start('a', { handleWeb: full });
    await invokers.start('b', { handleWeb: full });
    const dispatcher = invokers.dispatcher();
    const nobody = send(dispatcher);
    nobody.request.end();
    expect((await nobody.outcome).outcome).toMatchObject({ kind: 'throttled', message: 'full' });
    expect(full).toHaveBeenCalledTimes(2);
    await invokers.start('c', { handleWeb: hashing });
    const sent = send(dispatcher);
    const bytes = randomBytes(WEB_WINDOW_BYTES);
    sent.request.send(bytes.subarray(0, 100_000));
    sent.request.send(bytes.subarray(100_000));
    sent.request.end();
    await sent.outcome;
    expect(Buffer.concat(sent.pieces).toString()).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('is not sent again when the function has read of it', async () => {
    const read = vi.fn((exchange: WebExchange) => {
      return new Promise<DispatchResult>((resolve) => {
        exchange.attach({
          onData: (piece) => {
            exchange.grant(piece.length);
            resolve(refused('no more', { retryable: true }));
          },
          onEnd: () => undefined,
          onGrant: () => undefined,
          onCancel: () => undefined,
        });
      });
    });
    await invokers.start('a', { handleWeb: read });
    await invokers.start('b', { handleWeb: read });
    const sent = send(invokers.dispatcher());
    sent.request.send(Buffer.from('x'));
    expect((await sent.outcome).outcome).toMatchObject({ kind: 'refused', message: 'no more' });
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('tells the invoker when its caller hangs up, and the caller when its invoker is gone', async () => {
    const canceled = vi.fn();
    const server = await invokers.start('a', {
      handleWeb: (exchange) =>
        new Promise<DispatchResult>(() => {
          exchange.attach({
            onData: () => undefined,
            onEnd: () => undefined,
            onGrant: () => undefined,
            onCancel: canceled,
          });
          exchange.respond(OK);
        }),
    });
    const dispatcher = invokers.dispatcher();
    const first = send(dispatcher);
    await vi.waitFor(() => expect(first.response).toBeDefined());
    first.request.cancel();
    expect((await first.outcome).outcome).toMatchObject({ kind: 'refused', statusCode: 499 });
    await vi.waitFor(() => expect(canceled).toHaveBeenCalledTimes(1));
    const second = send(dispatcher);
    await vi.waitFor(() => expect(second.response).toBeDefined());
    await server.close();
    expect((await second.outcome).outcome).toMatchObject({
      kind: 'refused',
      message: 'the invoker was lost',
    });
    await vi.waitFor(() => expect(canceled).toHaveBeenCalledTimes(2));
  });

  it('costs only itself when the invoker makes a mistake over it', async () => {
    await invokers.start('a', {
      handleWeb: (exchange) =>
        exchange.call.requestId === 'r-1' ? Promise.reject(new Error('a mistake')) : hashing(exchange),
    });
    const dispatcher = invokers.dispatcher();
    const wrong = send(dispatcher);
    expect((await wrong.outcome).outcome).toMatchObject({
      kind: 'refused',
      statusCode: 500,
      retryable: false,
    });
  });

  it('is refused at once where nobody serves it', async () => {
    const nobody = send(invokers.dispatcher());
    expect((await nobody.outcome).outcome).toMatchObject({ kind: 'refused', retryable: true });
    await invokers.start('a', {});
    expect((await send(invokers.dispatcher()).outcome).outcome).toMatchObject({
      message: 'the invoker does not serve web functions',
    });
  });
});

/** Sends back what comes, within the window, and checks that the caller keeps to its own. */
function echoing(exchange: WebExchange): Promise<DispatchResult> {
  return new Promise((resolve) => {
    let free = WEB_WINDOW_BYTES;
    let ended = false;
    const waiting: Buffer[] = [];
    const pump = (): void => {
      for (let piece = waiting[0]; piece !== undefined && piece.length <= free; piece = waiting[0]) {
        waiting.shift();
        free -= piece.length;
        exchange.data(piece);
        exchange.grant(piece.length);
      }
      if (!ended || waiting.length > 0) return;
      exchange.end();
      resolve(done());
    };
    exchange.respond(OK);
    exchange.attach({
      onData: (piece) => {
        waiting.push(piece);
        expect(waiting.reduce((sum, one) => sum + one.length, 0)).toBeLessThanOrEqual(WEB_WINDOW_BYTES);
        pump();
      },
      onEnd: () => {
        ended = true;
        pump();
      },
      onGrant: (bytes) => {
        free += bytes;
        pump();
      },
      onCancel: () => resolve(done()),
    });
  });
}
