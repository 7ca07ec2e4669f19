import type { InvokeOutcome } from '@openscf/contracts';
import type { Dispatcher } from '@openscf/dispatch';
import { SYNC_EVENT_BYTES } from '@openscf/scf-api';
import { hangUpSignal } from '../cloud-api/hang-up.js';
import { isCorsHeader } from './cors.policy.js';
import { makeUrlEvent } from './event-shape.policy.js';
import { readIntegrated, WRONG_SHAPE } from './integrated-response.policy.js';
import { makeCall, timeoutOf } from './url-call.factory.js';
import { UrlError } from './url.errors.js';
import { ownHeaders, sendError, sendWhole, type UrlCall, type UrlExchange } from './url-exchange.js';
import { httpStatusOf } from './url-status.policy.js';

const JSON_HEADER = ['Content-Type', 'application/json'];
const WRONG_SHAPE_STATUS = 403;

/** Calls event functions with requests as events, and makes their results responses. */
export class EventUrls {
  constructor(private readonly dispatcher: Pick<Dispatcher, 'invoke'>) {}

  /** Resolves when it is answered. Throws a UrlError for a request that is too large for an event. */
  async run(exchange: UrlExchange, call: UrlCall, body: Buffer): Promise<void> {
    const { request, target } = exchange;
    const { method = 'GET', headers, socket } = request;
    const remoteAddress = socket.remoteAddress ?? '';
    const event = Buffer.from(JSON.stringify(makeUrlEvent({ method, target, headers, remoteAddress, body })));
    if (event.length > SYNC_EVENT_BYTES) {
      const message = `The request has ${event.length} bytes as an event: it must be at most ${SYNC_EVENT_BYTES}.`;
      throw new UrlError(413, 'InvalidParameter.RequestTooLarge', message);
    }
    const { state } = call;
    const { outcome, body: result } = await this.dispatcher.invoke(makeCall(exchange, call), event, {
      timeoutMs: timeoutOf(state),
      runtime: state.runtime,
      signal: hangUpSignal(socket),
    });
    this.answer(exchange, outcome, result);
  }

  private answer(exchange: UrlExchange, outcome: InvokeOutcome, result: Buffer): void {
    const { statusCode } = outcome;
    switch (outcome.kind) {
      case 'succeeded':
        this.respond(exchange, outcome.durationMs, result);
        return;
      case 'failed': {
        const headers = [
          ...ownHeaders(exchange, statusCode),
          ...duration(outcome.durationMs),
          ...JSON_HEADER,
        ];
        sendWhole(exchange, httpStatusOf(statusCode), headers, result);
        return;
      }
      case 'throttled':
        sendError(exchange, httpStatusOf(statusCode), {
          code: 'LimitExceeded.Quota',
          message: outcome.message,
          scfStatus: statusCode,
        });
        return;
      case 'refused':
        sendError(exchange, outcome.retryable ? 503 : httpStatusOf(statusCode), {
          code: 'InternalError.System',
          message: outcome.message,
          scfStatus: statusCode,
        });
    }
  }

  private respond(exchange: UrlExchange, durationMs: number, result: Buffer): void {
    const integrated = readIntegrated(result);
    if (integrated === undefined) {
      const headers = [...ownHeaders(exchange, WRONG_SHAPE_STATUS), ...duration(durationMs), ...JSON_HEADER];
      sendWhole(exchange, WRONG_SHAPE_STATUS, headers, Buffer.from(WRONG_SHAPE));
      return;
    }
    const headers: string[] = [];
    for (const [name, value] of integrated.headers) {
      if (!exchange.ownsCors || !isCorsHeader(name.toLowerCase())) headers.push(name, value);
    }
    headers.push(...ownHeaders(exchange, 200), ...duration(durationMs));
    sendWhole(exchange, integrated.statusCode, headers, integrated.body);
  }
}

/** Of the function, in ms. */
function duration(durationMs: number): string[] {
  return ['X-Scf-Duration', String(Math.round(durationMs))];
}
