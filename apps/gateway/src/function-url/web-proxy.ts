import type { InvokeOutcome, WebResponse } from '@openscf/contracts';
import type { Dispatcher, DispatchResult, OutgoingWebRequest, WebRequestEvents } from '@openscf/dispatch';
import { endWhenRead } from '../cloud-api/answer.js';
import { makeCall, timeoutOf } from './url-call.factory.js';
import { isCorsHeader } from './cors.policy.js';
import { isPassedBack, requestHeaders } from './http-headers.policy.js';
import { ownHeaders, sendError, sendWhole, type UrlCall, type UrlExchange } from './url-exchange.js';
import { httpStatusOf } from './url-status.policy.js';
import { WebSocketTunnel, type UpgradeSocket } from './websocket.tunnel.js';

const SUCCEEDED = 200;
/** A whole body up to this size is copied into one write with its head. */
const ONE_PIECE_BYTES = 16 * 1024;

/** Passes requests to web functions and their responses back, while they come. */
export class WebProxy {
  constructor(private readonly dispatcher: Pick<Dispatcher, 'request'>) {}

  /** Resolves when everything has been answered. Never rejects. */
  run(exchange: UrlExchange, call: UrlCall, upgrade?: UpgradeSocket): Promise<void> {
    return new Promise((resolve) => {
      new WebPassage(exchange, call, upgrade, resolve).begin(this.dispatcher);
    });
  }
}

/**
 * One request to a web function.
 *
 * 1. A piece of the response is granted back when the client's connection has taken it, and the client is read while the
 *    function's window has room: nothing gathers here but what `node:http` holds.
 * 2. A response that the function did not complete ends with its connection, so that the client cannot take it for whole.
 */
class WebPassage implements WebRequestEvents {
  private outgoing: OutgoingWebRequest | undefined;
  /** Given to the client's connection, which has not taken it. */
  private owedBytes = 0;
  /** The first piece of the response's body, while it waits for what comes with it. */
  private first: Buffer | undefined;
  private isFlushed = false;
  private responseEnded = false;
  private over = false;
  private tunnel: WebSocketTunnel | undefined;

  constructor(
    private readonly exchange: UrlExchange,
    private readonly call: UrlCall,
    private readonly upgrade: UpgradeSocket | undefined,
    private readonly done: () => void,
  ) {}

  begin(dispatcher: Pick<Dispatcher, 'request'>): void {
    const { request, response, target } = this.exchange;
    const { state, isSigned, body } = this.call;
    const headers = requestHeaders(request, { isUpgrade: this.upgrade !== undefined, isSigned });
    const web = { method: request.method ?? 'GET', target, headers };
    const call = { ...makeCall(this.exchange, this.call), web };
    const outgoing = dispatcher.request(call, { timeoutMs: timeoutOf(state), runtime: state.runtime }, this);
    this.outgoing = outgoing;
    if (this.upgrade !== undefined) {
      this.tunnel = new WebSocketTunnel(this.upgrade, outgoing);
      return;
    }
    response.on('close', () => outgoing.cancel());
    this.sendBody(outgoing, body);
  }

  onResponse(response: WebResponse): void {
    const { response: answer } = this.exchange;
    if (response.status === 101) {
      this.switchProtocols(response);
      return;
    }
    // A refused upgrade is an ordinary exchange.
    if (this.upgrade !== undefined) {
      this.tunnel = undefined;
      this.outgoing?.end();
    }
    try {
      answer.writeHead(response.status, this.answerHeaders(response));
    } catch {
      this.refuse('the function sent headers that are not of HTTP');
      return;
    }
    // Not at once: the body mostly comes with the head, and then leaves with it in one write.
    setImmediate(() => this.flush());
  }

  onData(piece: Buffer): void {
    if (this.tunnel !== undefined) {
      this.tunnel.write(piece);
      return;
    }
    if (this.isFlushed) this.write(piece);
    else if (this.first === undefined) this.first = piece;
    else {
      this.flush();
      this.write(piece);
    }
  }

  onEnd(): void {
    this.responseEnded = true;
    if (this.tunnel !== undefined) this.tunnel.end();
    else this.endAnswer();
  }

  onWritable(): void {
    if (this.tunnel !== undefined) this.tunnel.resume();
    else this.exchange.request.resume();
  }

  onOutcome({ outcome, body }: DispatchResult): void {
    this.over = true;
    const { request, response } = this.exchange;
    if (this.tunnel?.isOpen === true) this.tunnel.close();
    else if (!response.headersSent) this.answerWithout(outcome, body);
    else if (!this.responseEnded) response.destroy();
    // What still comes of the request is read and dropped, so that its sender gets to the answer.
    request.resume();
    this.done();
  }

  /** Sends what waits for more: the head, with the first piece of the body if it has come. */
  private flush(): void {
    if (this.isFlushed || this.over) return;
    this.isFlushed = true;
    const { first } = this;
    this.first = undefined;
    if (first === undefined) this.exchange.response.flushHeaders();
    else this.write(first);
  }

  private write(piece: Buffer): void {
    const { response } = this.exchange;
    if (response.destroyed) return;
    if (response.write(piece)) this.outgoing?.consumed(piece.length);
    else {
      if (this.owedBytes === 0) response.once('drain', () => this.repay());
      this.owedBytes += piece.length;
    }
  }

  private endAnswer(): void {
    const { request, response, isUpgrade } = this.exchange;
    const { first, isFlushed } = this;
    this.isFlushed = true;
    // On a connection that goes on, what still comes of the request is dropped behind the answer.
    if (!request.complete && !isUpgrade && !response.shouldKeepAlive) {
      if (first !== undefined && !isFlushed) response.write(first);
      endWhenRead(request, response);
    } else if (first === undefined || isFlushed) response.end();
    // As text, because head and body then leave in one piece.
    else if (first.length <= ONE_PIECE_BYTES) response.end(first.toString('latin1'), 'latin1');
    else response.end(first);
  }

  private sendBody(outgoing: OutgoingWebRequest, body: Buffer | undefined): void {
    const { request } = this.exchange;
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (body !== undefined) {
      outgoing.send(body);
      outgoing.end();
    } else if (encoding === undefined && (length === undefined || length === '0')) {
      outgoing.end();
    } else {
      request.on('data', (chunk: Buffer) => {
        if (!outgoing.send(chunk)) request.pause();
      });
      request.on('end', () => outgoing.end());
    }
  }

  private repay(): void {
    const owed = this.owedBytes;
    this.owedBytes = 0;
    this.outgoing?.consumed(owed);
  }

  private answerHeaders(response: WebResponse): string[] {
    const lines: string[] = [];
    for (const [name, value] of response.headers) {
      const lower = name.toLowerCase();
      if (!isPassedBack(lower) || (this.exchange.ownsCors && isCorsHeader(lower))) continue;
      lines.push(name, value);
    }
    lines.push(...ownHeaders(this.exchange, SUCCEEDED));
    return lines;
  }

  private answerWithout(outcome: InvokeOutcome, body: Buffer): void {
    const { statusCode } = outcome;
    if (outcome.kind === 'failed') {
      const headers = [...ownHeaders(this.exchange, statusCode), 'Content-Type', 'application/json'];
      sendWhole(this.exchange, httpStatusOf(statusCode), headers, body);
    } else if (outcome.kind === 'succeeded') this.refuse('the function sent no response');
    else {
      const httpStatus = outcome.kind === 'refused' && outcome.retryable ? 503 : httpStatusOf(statusCode);
      const code = outcome.kind === 'throttled' ? 'LimitExceeded.Quota' : 'InternalError.System';
      sendError(this.exchange, httpStatus, { code, message: outcome.message, scfStatus: statusCode });
    }
  }

  private refuse(message: string): void {
    this.responseEnded = true;
    sendError(this.exchange, 502, { code: 'InternalError.System', message, scfStatus: 403 });
    this.outgoing?.cancel();
  }

  private switchProtocols(response: WebResponse): void {
    if (this.tunnel === undefined) this.refuse('the function switched protocols, which nobody asked for');
    else this.tunnel.open(response, this.exchange.requestId);
  }
}
