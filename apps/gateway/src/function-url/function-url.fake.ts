import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { functionKey, WEB_WINDOW_BYTES, type FunctionState, type WebResponse } from '@openscf/contracts';
import {
  Dispatcher,
  DispatchServer,
  refused,
  type DispatchResult,
  type WebExchange,
} from '@openscf/dispatch';
import { type FakeGateway, functionState, startFakeGateway, succeeded } from '../cloud-api/gateway.fake.js';

/** A gateway with an invoker behind it over real sockets, whose web functions are the test's. For tests. */

export const URL_HOST = '1250000000-abc123.localhost';

export type Serve = (exchange: WebExchange) => Promise<DispatchResult>;

export interface FakeUrls {
  gateway: FakeGateway;
  /** What web functions do. */
  serve: Serve;
  /** Makes a web function known. */
  addFunction(change: Partial<FunctionState>): void;
  request(options: http.RequestOptions): http.ClientRequest;
  send(options: http.RequestOptions, body?: string | Buffer): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  text: string;
}

export async function startFakeUrls(): Promise<FakeUrls> {
  const logger = { info: () => undefined, warn: () => undefined };
  const server = new DispatchServer({
    host: '127.0.0.1',
    port: 0,
    handle: () => Promise.resolve(refused('no events here', { retryable: false })),
    handleWeb: (exchange) => fake.serve(exchange),
    logger,
  });
  const invoker = {
    invokerId: 'i',
    epoch: 'e',
    address: `127.0.0.1:${await server.listen()}`,
    accepting: true,
    memoryMb: 1,
    usedMemoryMb: 0,
    runtimes: ['Nodejs20.19'],
    missingRuntimes: {},
    provisioned: {},
    sentAt: Date.now(),
  };
  const dispatcher = new Dispatcher({ invokers: { values: () => [invoker] }, logger });
  const gateway = await startFakeGateway(dispatcher);
  const request = (options: http.RequestOptions): http.ClientRequest =>
    http.request({ host: '127.0.0.1', port: gateway.port, agent: false, ...options });
  const fake: FakeUrls = {
    gateway,
    serve: echo,
    addFunction: (change) => {
      const state = functionState({ type: 'HTTP', ...change });
      gateway.functions.set(functionKey(state), state);
    },
    request,
    send: async (options, body) => {
      const sent = request(options);
      // An answer may come before all of the body has been taken.
      sent.on('error', () => undefined);
      sent.end(body);
      return readAnswer(sent);
    },
    close: async () => {
      await gateway.close();
      dispatcher.close();
      await server.close();
    },
  };
  fake.addFunction({ functionName: 'site' });
  return fake;
}

export async function readAnswer(sent: http.ClientRequest): Promise<Answer> {
  const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
  const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  return { status: response.statusCode, headers: response.headers, text };
}

export function respond(exchange: WebExchange, response: WebResponse, body = ''): DispatchResult {
  exchange.respond(response);
  if (body !== '') exchange.data(Buffer.from(body));
  exchange.end();
  return succeeded('{}');
}

/** Answers with what it was asked, and hashes the body. */
export function echo(exchange: WebExchange): Promise<DispatchResult> {
  const hash = createHash('sha256');
  return new Promise((resolve) => {
    exchange.attach({
      onData: (piece) => {
        hash.update(piece);
        exchange.grant(piece.length);
      },
      onEnd: () => {
        const text = JSON.stringify({ web: exchange.call.web, sha256: hash.digest('hex') });
        resolve(respond(exchange, { status: 200, headers: [['Content-Type', 'application/json']] }, text));
      },
      onGrant: () => undefined,
      onCancel: () => resolve(succeeded('{}')),
    });
  });
}

/** Sends back what comes, while it comes. */
export function mirror(
  exchange: WebExchange,
  response: WebResponse = { status: 200, headers: [] },
): Promise<DispatchResult> {
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
      resolve(succeeded('{}'));
    };
    exchange.respond(response);
    exchange.attach({
      onData: (piece) => {
        waiting.push(piece);
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
      onCancel: () => resolve(succeeded('{}')),
    });
  });
}
