import type { FunctionState, InvocationRecord } from '@openscf/contracts';
import { DispatchServer, Dispatcher, type DispatchResult, type WebCall } from '@openscf/dispatch';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ended } from '../execution/attempt.js';
import type { InvocationLog } from '../execution/invocation.log.js';
import { webFrame } from './web-channel.types.js';
import { WebExecutionService } from './web-execution.service.js';
import { FakeStream, FakeWebInstance } from './web-instance.fake.js';
import { closeFrame } from './websocket.scanner.js';

const state = {
  namespace: 'default',
  functionName: 'site',
  version: '$LATEST',
  memoryMb: 128,
  timeoutMs: 3_000,
} as FunctionState;

const call: WebCall = {
  requestId: 'r-1',
  functionKey: 'default/site/$LATEST',
  revision: 1,
  invocationType: 'RequestResponse',
  retryNum: 0,
  source: 'http',
  qualifier: '$DEFAULT',
  logTail: false,
  acceptedAt: Date.now() - 5,
  web: {
    method: 'POST',
    target: '/a?b=1',
    headers: [
      ['Accept', '*/*'],
      ['X-Scf-Uin', 'forged'],
      ['x-scf-remote-addr', '10.0.0.1'],
    ],
  },
};

interface Recorded {
  ended: Ended;
  lines: string[];
  requestId: string;
}

describe('a web request on an instance', () => {
  let instance: FakeWebInstance;
  let functionState: FunctionState;
  let recorded: Recorded[];
  let settled: number;
  let serve: (stream: FakeStream) => void;
  const closing: (() => unknown)[] = [];
  let dispatcher: Dispatcher;

  beforeEach(async () => {
    recorded = [];
    settled = 0;
    functionState = state;
    serve = () => undefined;
    instance = new FakeWebInstance((stream) => serve(stream));
    const execution = new WebExecutionService({
      place: { region: 'ap-guangzhou', appId: '125', uin: '100' },
      limits: { declaredBytes: 1024 * 1024, streamedBytes: 2 * 1024 * 1024 },
      record: (log: InvocationLog, { requestId }, _state, ended) => {
        recorded.push({ ended, requestId, lines: log.lines.map(({ text }) => text) });
        return {} as InvocationRecord;
      },
    });
    const logger = { info: () => undefined, warn: () => undefined };
    const server = new DispatchServer({
      host: '127.0.0.1',
      port: 0,
      handle: () => Promise.reject(new Error('no events here')),
      handleWeb: (exchange) =>
        execution.run(instance, {
          exchange,
          state: functionState,
          arrival: { at: Date.now(), since: performance.now() },
          onEnd: () => undefined,
          onSettled: () => settled++,
        }),
      logger,
    });
    const port = await server.listen();
    const invoker = {
      invokerId: 'i',
      epoch: 'e',
      address: `127.0.0.1:${port}`,
      accepting: true,
      runtimes: [],
    };
    const states = [
      { ...invoker, sentAt: Date.now(), memoryMb: 1, usedMemoryMb: 0, missingRuntimes: {}, provisioned: {} },
    ];
    dispatcher = new Dispatcher({ invokers: { values: () => states }, logger });
    closing.push(
      () => dispatcher.close(),
      () => server.close(),
    );
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  function send(requestId = 'r-1') {
    const { promise, resolve } = Promise.withResolvers<DispatchResult>();
    const seen = { status: 0, body: [] as Buffer[], ended: false, outcome: promise };
    const request = dispatcher.request(
      { ...call, requestId },
      { timeoutMs: 10_000 },
      {
        onResponse: ({ status }) => (seen.status = status),
        onData: (piece) => {
          seen.body.push(Buffer.from(piece));
          request.consumed(piece.length);
        },
        onEnd: () => (seen.ended = true),
        onWritable: () => undefined,
        onOutcome: resolve,
      },
    );
    return Object.assign(seen, { request, text: () => Buffer.concat(seen.body).toString() });
  }

  async function record(): Promise<Recorded> {
    await vi.waitFor(() => expect(recorded).toHaveLength(1));
    return recorded[0] as Recorded;
  }

  it('sees the caller, with SCF in its headers, and is recorded with status and size', async () => {
    serve = (stream) => stream.respond('hello', 201, [['a', 'b']]);
    const sent = send();
    sent.request.send(Buffer.from('body'));
    sent.request.end();
    expect((await sent.outcome).outcome).toMatchObject({ kind: 'succeeded', statusCode: 200 });
    expect([sent.status, sent.text(), sent.ended]).toEqual([201, 'hello', true]);
    const [head] = instance.streams[0]?.frames ?? [];
    expect(head?.head).toMatchObject({ request_id: 'r-1', method: 'POST', target: '/a?b=1' });
    expect(head?.head['headers']).toEqual([
      ['Accept', '*/*'],
      ['x-scf-remote-addr', '10.0.0.1'],
      ['X-Scf-Request-Id', 'r-1'],
      ['X-Scf-Memory', '128'],
      ['X-Scf-Timeout', '3000'],
      ['X-Scf-Version', '$LATEST'],
      ['X-Scf-Name', 'site'],
      ['X-Scf-Namespace', 'default'],
      ['X-Scf-Region', 'ap-guangzhou'],
      ['X-Scf-Appid', '125'],
      ['X-Scf-Uin', '100'],
    ]);
    const { ended } = await record();
    expect(ended.body.toString()).toBe('{"status":201,"bytes":5}');
    expect(ended.queuedMs).toBeGreaterThan(0);
    expect(settled).toBe(1);
    expect(instance.closed).toBe(1);
    expect(instance.receivesLines).toBe(false);
  });

  it('is over at its time: 433 instead of a response, or a response that is not ended', async () => {
    functionState = { ...state, timeoutMs: 50 };
    const silent = send();
    const { outcome, body } = await silent.outcome;
    expect(outcome).toMatchObject({ kind: 'failed', statusCode: 433 });
    expect(JSON.parse(body.toString())).toMatchObject({
      errorMessage: 'Invoking task timed out after 0.05 seconds',
    });
    expect(instance.streams[0]?.closedWith).toEqual({ recycle: true });
    serve = (stream) => stream.emit(webFrame.response, { status: 200, headers: [] });
    const begun = send('r-2');
    expect((await begun.outcome).outcome).toMatchObject({ kind: 'failed', statusCode: 433 });
    expect([begun.status, begun.ended]).toEqual([200, false]);
    expect(instance.streams[1]?.kinds()).toEqual([webFrame.request, webFrame.abort]);
  });

  it('is refused where its response is larger than the limits', async () => {
    serve = (stream) => {
      const head = { status: 200, headers: [['Content-Length', String(2 * 1024 * 1024)]] };
      stream.emit(webFrame.response, head);
    };
    expect((await send().outcome).outcome).toMatchObject({
      statusCode: 407,
      message: /larger than 1 MB: 2097152 bytes/,
    });
    serve = (stream) => {
      stream.emit(webFrame.response, { status: 200, headers: [] });
      const sendMore = (bytes: number): void => {
        for (let sent = 0; sent < bytes; sent += 64 * 1024)
          stream.emit(webFrame.data, {}, Buffer.alloc(Math.min(64 * 1024, bytes - sent)));
      };
      stream.onFrame = ({ kind, head }) => {
        if (kind === webFrame.window) sendMore(head['bytes'] as number);
      };
      sendMore(256 * 1024);
    };
    const streamed = send('r-2');
    expect((await streamed.outcome).outcome).toMatchObject({ statusCode: 407, message: /larger than 2 MB/ });
    expect(streamed.ended).toBe(false);
  });

  it('ends with the reason when its instance does, and when the runtime reports a failure', async () => {
    serve = (stream) => {
      instance.print('last words');
      stream.receiver.onGone({ kind: 'exited', exit: { oomKilled: false, exitCode: 3 } });
    };
    expect((await send().outcome).outcome).toMatchObject({
      kind: 'failed',
      statusCode: 439,
      message: 'User process exit when running: exit code 3',
    });
    expect((await record()).lines).toEqual(['last words']);
    serve = (stream) =>
      stream.emit(webFrame.error, { reason: 'exception', message: 'x', stackTrace: 'at y' });
    expect((await send('r-2').outcome).outcome).toMatchObject({ statusCode: 430, message: 'at y' });
    serve = (stream) => stream.receiver.onGone({ kind: 'destroyed' });
    expect((await send('r-3').outcome).outcome).toMatchObject({ kind: 'refused', retryable: false });
    instance.refuses = 'it is draining';
    expect((await send('r-4').outcome).outcome).toMatchObject({ kind: 'refused', retryable: true });
  });

  it('tells the function when the caller hangs up, and records 499', async () => {
    const sent = send();
    await vi.waitFor(() => expect(instance.streams).toHaveLength(1));
    sent.request.cancel();
    const { ended } = await record();
    expect(ended.failed?.statusCode).toBe(499);
    expect(instance.streams[0]?.kinds().at(-1)).toBe(webFrame.abort);
    expect(instance.streams[0]?.closedWith).toEqual({ recycle: false });
  });

  it('does not believe an instance that answers nonsense, sends too much, or grants what it was not sent', async () => {
    serve = (stream) => stream.emit(webFrame.response, { status: 'ok', headers: [] });
    expect((await send().outcome).outcome).toMatchObject({ statusCode: 439, message: /not one of HTTP/ });
    serve = (stream) => {
      stream.emit(webFrame.response, { status: 200, headers: [] });
      stream.emit(webFrame.data, {}, Buffer.alloc(300 * 1024));
    };
    expect((await send('r-2').outcome).outcome).toMatchObject({ message: /nobody asked for/ });
    serve = (stream) => {
      stream.emit(webFrame.window, { bytes: 1_000_000_000 });
      stream.respond('fine');
    };
    expect((await send('r-3').outcome).outcome.kind).toBe('succeeded');
    serve = (stream) => {
      stream.emit(webFrame.response, { status: 200, headers: [] });
      stream.emit(webFrame.data, {});
    };
    expect((await send('r-4').outcome).outcome).toMatchObject({ message: /nobody asked for/ });
    serve = (stream) => stream.emit(99, {});
    expect((await send('r-5').outcome).outcome).toMatchObject({ message: /no part of a response/ });
  });

  it('keeps the lines of requests that overlap apart', async () => {
    send('id-a');
    send('id-b');
    await vi.waitFor(() => expect(instance.streams).toHaveLength(2));
    instance.print('\u0001id-a\u0001marked');
    instance.print('with id-a in it');
    instance.print('whose?');
    instance.streams[1]?.respond('b');
    await vi.waitFor(() => expect(recorded).toHaveLength(1));
    instance.print('now of a');
    instance.streams[0]?.respond('a');
    await vi.waitFor(() => expect(recorded).toHaveLength(2));
    expect(recorded.map(({ requestId, lines }) => [requestId, lines])).toEqual([
      ['id-b', ['whose?']],
      ['id-a', ['marked', 'with id-a in it', 'now of a']],
    ]);
  });

  describe('that is a WebSocket', () => {
    const upgraded = { status: 101, headers: [['Upgrade', 'websocket']] };
    const textFrame = Buffer.from([0x81, 0x02, 0x68, 0x69]);

    beforeEach(() => {
      functionState = { ...state, webSocketIdleMs: 60 };
      serve = (stream) => stream.emit(webFrame.response, upgraded);
    });

    it('carries both directions, and is complete when it is closed as it should be', async () => {
      serve = (stream) => {
        stream.emit(webFrame.response, upgraded);
        stream.onFrame = ({ kind, body }) => {
          if (kind !== webFrame.data) return;
          stream.emit(webFrame.data, {}, body.subarray(0, 1));
          stream.emit(webFrame.data, {}, body.subarray(1));
          stream.emit(webFrame.data, {}, closeFrame(1000, 'bye'));
          stream.emit(webFrame.end);
        };
      };
      const sent = send();
      await vi.waitFor(() => expect(sent.status).toBe(101));
      sent.request.send(textFrame);
      expect((await sent.outcome).outcome.kind).toBe('succeeded');
      expect(sent.status).toBe(101);
      expect(Buffer.concat(sent.body)).toEqual(Buffer.concat([textFrame, closeFrame(1000, 'bye')]));
      expect((await record()).ended.body.toString()).toBe('{"status":101,"bytes":11}');
    });

    it('is closed when nothing is carried for its time: 455, with a close frame', async () => {
      const sent = send();
      expect((await sent.outcome).outcome).toMatchObject({ kind: 'failed', statusCode: 455 });
      expect(Buffer.concat(sent.body)).toEqual(closeFrame(1001, 'idle for too long'));
      expect(sent.ended).toBe(true);
    });

    it('is 433 when it takes longer than the function may', async () => {
      functionState = { ...state, webSocketIdleMs: 5_000, timeoutMs: 50 };
      expect((await send().outcome).outcome).toMatchObject({ statusCode: 433 });
    });

    it('is 456 when the client leaves without closing, and 439 when the server does', async () => {
      functionState = { ...state, webSocketIdleMs: 5_000 };
      const sent = send();
      await vi.waitFor(() => expect(sent.status).toBe(101));
      sent.request.cancel();
      expect((await record()).ended.failed?.statusCode).toBe(456);
      serve = (stream) => {
        stream.emit(webFrame.response, upgraded);
        stream.emit(webFrame.end);
      };
      expect((await send('r-2').outcome).outcome).toMatchObject({ statusCode: 439 });
    });

    it('is refused for a function that is not for it', async () => {
      functionState = state;
      expect((await send().outcome).outcome).toMatchObject({ statusCode: 439, message: /not WS/ });
    });
  });
});
