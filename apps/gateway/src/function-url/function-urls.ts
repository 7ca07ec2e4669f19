import { hash, randomUUID } from 'node:crypto';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PlatformError, type HttpTrigger } from '@openscf/contracts';
import { errorCodes, SYNC_EVENT_BYTES } from '@openscf/scf-api';
import { isTracing, type Logger, withSpan } from '@openscf/telemetry';
import type { Authenticator } from '../auth/authenticator.js';
import { readBody, RequestAbortedError } from '../cloud-api/body.reader.js';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.policy.js';
import type { EventUrls } from './event-url.js';
import type { UrlAddress } from './url-address.policy.js';
import { UrlError } from './url.errors.js';
import { ownHeaders, sendError, sendWhole, type UrlExchange } from './url-exchange.js';
import { httpStatusOfError } from './url-status.policy.js';
import type { UrlTable } from './url-table.js';
import type { WebProxy } from './web-proxy.js';
import type { UpgradeSocket } from './websocket.tunnel.js';

export interface FunctionUrlsOptions {
  readonly urls: UrlTable;
  readonly authenticator: Authenticator;
  readonly webProxy: WebProxy;
  readonly eventUrls: EventUrls;
  readonly logger: Logger;
}

/** A body that is read before the function sees it: because it becomes an event, or because its signature is checked. */
const bodyLimit = {
  maxBytes: SYNC_EVENT_BYTES,
  tooLarge: (bytes: number) =>
    new UrlError(
      413,
      'InvalidParameter.RequestTooLarge',
      `The request's body has ${bytes} bytes or more: it must be at most ${SYNC_EVENT_BYTES}; ` +
        'a signed request to a web function may be larger with X-TC-Content-SHA256: UNSIGNED-PAYLOAD.',
    ),
};
const NO_BYTES = Buffer.alloc(0);
const NO_BYTES_SHA256 = hash('sha256', NO_BYTES);
const UPGRADE = /^websocket$/i;

/** Requests to functions' URLs: which function, whether it is allowed, and on to it. Bare `node:http`, like the Cloud API. */
export class FunctionUrls {
  /** Requests that are not answered yet. */
  inFlight = 0;
  /** Set by the drain: every answer is its connection's last. */
  draining = false;

  constructor(private readonly options: FunctionUrlsOptions) {}

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    address: UrlAddress,
    expectsContinue = false,
    upgrade?: UpgradeSocket,
  ): Promise<void> {
    const exchange: UrlExchange = {
      request,
      response,
      requestId: randomUUID(),
      acceptedAt: Date.now(),
      target: address.target,
      cors: [],
      ownsCors: false,
      isUpgrade: upgrade !== undefined,
      isLast: () => this.draining || upgrade !== undefined,
    };
    this.inFlight += 1;
    const run = (): Promise<void> => this.answer(exchange, address, expectsContinue, upgrade);
    try {
      await (isTracing() ? this.traced(exchange, run) : run());
    } catch (error) {
      this.sendError(exchange, error);
    } finally {
      this.inFlight -= 1;
    }
  }

  /** The same for a request that asks for a WebSocket. What is answered but 101 is an ordinary response. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: UrlAddress): Promise<void> {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.on('finish', () => socket.end());
    socket.on('error', () => socket.destroy());
    return this.handle(request, response, address, false, { socket, head });
  }

  private traced(exchange: UrlExchange, run: () => Promise<void>): Promise<void> {
    const { traceparent } = exchange.request.headers;
    const parent = typeof traceparent === 'string' ? traceparent : undefined;
    const attributes = { 'scf.request_id': exchange.requestId };
    return withSpan('function URL', { kind: 'server', parent, attributes }, run);
  }

  private async answer(
    exchange: UrlExchange,
    address: UrlAddress,
    expectsContinue: boolean,
    upgrade: UpgradeSocket | undefined,
  ): Promise<void> {
    const { request, response } = exchange;
    const { urls, webProxy, eventUrls } = this.options;
    const trigger = urls.trigger(address);
    const { cors } = trigger;
    if (cors !== undefined) {
      exchange.ownsCors = true;
      if (isPreflight(request.method ?? '', request.headers)) {
        exchange.cors = preflightHeaders(cors, request.headers);
        sendWhole(exchange, 204, ownHeaders(exchange, undefined), NO_BYTES);
        return;
      }
      exchange.cors = corsHeaders(cors, request.headers.origin);
    }
    const state = urls.function(trigger);
    const isWebSocket = UPGRADE.test(request.headers.upgrade ?? '');
    if (isWebSocket && (state.type !== 'HTTP' || state.webSocketIdleMs === undefined)) {
      const message = `The function ${JSON.stringify(state.functionName)} takes no WebSocket: it must be a web function with ProtocolType WS.`;
      throw new UrlError(400, 'InvalidParameterValue.ProtocolType', message);
    }
    const check = this.claim(exchange, trigger);
    if (expectsContinue) response.writeContinue();
    if (state.type === 'HTTP') {
      // An upgrade has no body.
      if (upgrade !== undefined) check.check(NO_BYTES_SHA256);
      const needsBody = check.needsBody && upgrade === undefined;
      const body = needsBody ? await this.readChecked(exchange, check) : undefined;
      await webProxy.run(exchange, { trigger, state, isSigned: check.isSigned, body }, upgrade);
    } else {
      const body = await this.readChecked(exchange, check);
      await eventUrls.run(exchange, { trigger, state, isSigned: check.isSigned, body }, body);
    }
  }

  /** Throws a CallerError for a request that must be signed and is not, or not by a known key. */
  private claim({ request }: UrlExchange, trigger: HttpTrigger): Check {
    if (trigger.authType === 'NONE') return UNSIGNED;
    const claim = this.options.authenticator.claim(request);
    if (claim.unsignedPayload) claim.check('');
    return {
      isSigned: true,
      needsBody: !claim.unsignedPayload,
      check: claim.unsignedPayload ? () => undefined : (sha256) => claim.check(sha256),
    };
  }

  private async readChecked({ request }: UrlExchange, { check }: Check): Promise<Buffer> {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > bodyLimit.maxBytes) throw bodyLimit.tooLarge(length);
    const { bytes, sha256 } = await readBody(request, bodyLimit);
    check(sha256);
    return bytes;
  }

  private sendError(exchange: UrlExchange, error: unknown): void {
    if (error instanceof RequestAbortedError) return;
    const { requestId } = exchange;
    const { logger } = this.options;
    if (error instanceof PlatformError) {
      const { code, message } = error;
      if (error.fault !== 'caller') logger.warn({ requestId, code, reason: message }, 'function URL failed');
      sendError(exchange, httpStatusOfError(error), { code, message });
      return;
    }
    logger.error({ requestId, error }, 'function URL failed unexpectedly');
    const message = `Something went wrong inside the platform; its log has the request id ${requestId}.`;
    sendError(exchange, 500, { code: errorCodes.internal, message });
  }
}

/** What is known of who asks. */
interface Check {
  readonly isSigned: boolean;
  /** The signature covers the body. */
  readonly needsBody: boolean;
  check(bodySha256: string): void;
}

const UNSIGNED: Check = { isSigned: false, needsBody: false, check: () => undefined };
