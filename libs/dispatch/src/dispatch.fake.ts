import type { InvokeCall, InvokerState } from '@openscf/contracts';
import { DispatchServer, type DispatchServerOptions } from './dispatch.server.js';
import { Dispatcher, type DispatchLogger } from './dispatcher.js';
import type { DispatchResult } from './outcome.factory.js';
import type { WebCall } from './web-exchange.js';

/** Invokers over real sockets, made of handlers, and a dispatcher that knows them. For tests. */

export const quietLogger = { info: () => undefined, warn: () => undefined };

export const eventCall: InvokeCall = {
  requestId: 'r-1',
  functionKey: 'default/hello/$LATEST',
  revision: 1,
  invocationType: 'RequestResponse',
  retryNum: 0,
  source: 'cloud-api',
  qualifier: '$LATEST',
  logTail: false,
};

export const webCall: WebCall = { ...eventCall, web: { method: 'GET', target: '/', headers: [] } };

export function done(body = ''): DispatchResult {
  const usage = { durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' };
  return { outcome: { kind: 'succeeded', statusCode: 200, ...usage }, body: Buffer.from(body) };
}

export class FakeInvokers {
  readonly states = new Map<string, InvokerState>();
  private readonly closing: (() => unknown)[] = [];

  dispatcher(logger: DispatchLogger = quietLogger): Dispatcher {
    const made = new Dispatcher({ invokers: this.states, logger });
    this.closing.unshift(() => made.close());
    return made;
  }

  announce(invokerId: string, port: number, change: Partial<InvokerState> = {}): void {
    this.states.set(invokerId, {
      invokerId,
      epoch: 'e1',
      address: `127.0.0.1:${port}`,
      accepting: true,
      memoryMb: 1024,
      usedMemoryMb: 0,
      runtimes: ['Nodejs18.15'],
      missingRuntimes: {},
      provisioned: {},
      sentAt: Date.now(),
      ...change,
    });
  }

  async start(id: string, handlers: Partial<Pick<DispatchServerOptions, 'handle' | 'handleWeb'>>) {
    const server = new DispatchServer({
      host: '127.0.0.1',
      port: 0,
      handle: () => Promise.resolve(done()),
      ...handlers,
      logger: quietLogger,
    });
    this.announce(id, await server.listen());
    this.closing.push(() => server.close());
    return server;
  }

  onClose(close: () => unknown): void {
    this.closing.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.closing.splice(0)) await close();
    this.states.clear();
  }
}
