import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '@openscf/telemetry';
import type { CloudApi } from './cloud-api.js';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** From the first byte of a head to its end; from there to the end of the body; and how long an idle connection is kept. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
const HEADER_BYTES = 16 * 1024;

function isCloudApi(url: string): boolean {
  return url === '/' || url.startsWith('/?');
}

/**
 * The gateway's one port: the Cloud API, at `/`, is answered here; everything else (health, later function URLs and the console) is Nest's.
 */
export class FrontDoor {
  private api: CloudApi | undefined;

  constructor(private readonly logger: Logger) {}

  /** Before it is called, the Cloud API is not there. */
  attach(api: CloudApi): void {
    this.api = api;
  }

  createServer(fallback: Listener): Server {
    const options = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES,
      noDelay: true,
    };
    const server = createServer(options, (request, response) =>
      this.handle(request, response, fallback, false),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      this.handle(request, response, fallback, true);
    });
    return closableTwice(server);
  }

  private handle(
    request: IncomingMessage,
    response: ServerResponse,
    fallback: Listener,
    expectsContinue: boolean,
  ): void {
    if (this.api === undefined || !isCloudApi(request.url ?? '')) {
      if (expectsContinue) response.writeContinue();
      fallback(request, response);
      return;
    }
    this.api.handle(request, response, expectsContinue).catch((error: unknown) => {
      this.logger.error({ error }, 'answer could not be sent');
      response.destroy();
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
