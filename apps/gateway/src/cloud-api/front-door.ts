import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@openscf/telemetry';
import type { FunctionUrls } from '../function-url/function-urls.js';
import { readUrlAddress } from '../function-url/url-address.policy.js';
import type { CloudApi } from './cloud-api.js';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** From the first byte of a head to its end; to the end of the body; and how long an idle connection is kept. */
const HEADERS_TIMEOUT_MS = 20_000;
/** A function's time is at most 900 s, and a request to its URL may be sent all that time. */
const REQUEST_TIMEOUT_MS = 960_000;
const KEEP_ALIVE_MS = 65_000;
const HEADER_BYTES = 16 * 1024;
const WEB_SOCKET = /^websocket$/i;

function isCloudApi(url: string): boolean {
  return url === '/' || url.startsWith('/?');
}

/**
 * The gateway's one port: function URLs, by host name or below `/url/`, and the Cloud API, at `/`, are answered here; everything else
 * (health, later the console) is Nest's.
 */
export class FrontDoor {
  private api: CloudApi | undefined;
  private urls: FunctionUrls | undefined;

  constructor(private readonly logger: Logger) {}

  /** Before it is called, neither is there. */
  attach(api: CloudApi, urls: FunctionUrls): void {
    this.api = api;
    this.urls = urls;
  }

  createServer(fallback: Listener): Server {
    const options = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES,
      noDelay: true,
      // Anything else that asks for an upgrade (h2c, from some clients always) is answered as if it had not.
      shouldUpgradeCallback: ({ headers, url = '' }: IncomingMessage) =>
        WEB_SOCKET.test(headers.upgrade ?? '') && readUrlAddress(headers.host, url) !== undefined,
    };
    const server = createServer(options, (request, response) =>
      this.handle(request, response, fallback, false),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      this.handle(request, response, fallback, true);
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const address = readUrlAddress(request.headers.host, request.url ?? '');
      if (address === undefined || this.urls === undefined) socket.destroy();
      else this.settle(this.urls.handleUpgrade(request, socket, head, address), () => socket.destroy());
    });
    return closableTwice(server);
  }

  private handle(
    request: IncomingMessage,
    response: ServerResponse,
    fallback: Listener,
    expectsContinue: boolean,
  ): void {
    const { url = '', headers } = request;
    const { api, urls } = this;
    const address = readUrlAddress(headers.host, url);
    if (address !== undefined && urls !== undefined)
      this.settle(urls.handle(request, response, address, expectsContinue), () => response.destroy());
    else if (address === undefined && api !== undefined && isCloudApi(url))
      this.settle(api.handle(request, response, expectsContinue), () => response.destroy());
    else {
      if (expectsContinue) response.writeContinue();
      fallback(request, response);
    }
  }

  private settle(answered: Promise<void>, destroy: () => void): void {
    answered.catch((error: unknown) => {
      this.logger.error({ error }, 'answer could not be sent');
      destroy();
    });
  }
}

/** The drain closes the server first, so that nobody new comes in; the framework, which closes it again, must find that in order. */
function closableTwice(server: Server): Server {
  const close = server.close.bind(server);
  server.close = (callback) => {
    if (server.listening) return close(callback);
    callback?.();
    return server;
  };
  return server;
}
