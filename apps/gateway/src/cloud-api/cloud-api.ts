import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlatformError, type Caller, type Upload } from '@openscf/contracts';
import {
  type Action,
  type ActionName,
  actions,
  errorCodes,
  errorText,
  parseShape,
  responseText,
} from '@openscf/scf-api';
import { isTracing, type Logger, withSpan } from '@openscf/telemetry';
import type { Authenticator } from '../auth/authenticator.js';
import { type InvokeAction, readInvoke } from '../invoke/invoke-request.js';
import type { Invocations } from '../invoke/invoke.service.js';
import type { PackageReceiver } from '../packages/package.receiver.js';
import { sendAnswer } from './answer.js';
import { checkContentLength, parseBody, readBody, RequestAbortedError } from './body.reader.js';
import { bodyLimit } from './body-limit.js';
import type { ControlActions } from './control-actions.service.js';
import { hangUpSignal } from './hang-up.js';
import { readAction } from './request-head.js';

export interface CloudApiOptions {
  authenticator: Authenticator;
  invocations: Invocations;
  controlActions: ControlActions;
  packages: PackageReceiver;
  logger: Logger;
}

/** A request whose head is accepted, and where it is answered. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** The client waits for leave before it sends the body. */
  expectsContinue: boolean;
}

/**
 * The Cloud API over HTTP: head (signature's claim, action, size) → body (hashed as it comes) → signature → the action → one answer.
 * Bare `node:http`, because InvokeFunction is on the path of every sync call.
 */
export class CloudApi {
  /** Requests that are not answered yet. */
  inFlight = 0;
  /** Set by the drain: every answer is its connection's last. */
  draining = false;

  constructor(private readonly options: CloudApiOptions) {}

  async handle(request: IncomingMessage, response: ServerResponse, expectsContinue = false): Promise<void> {
    const exchange = { request, response, requestId: randomUUID(), expectsContinue };
    this.inFlight += 1;
    try {
      const text = isTracing() ? await this.traced(exchange) : await this.answer(exchange);
      sendAnswer(request, response, text, this.draining);
    } catch (error) {
      this.sendError(exchange, error);
    } finally {
      this.inFlight -= 1;
    }
  }

  private traced(exchange: Exchange): Promise<string> {
    const { traceparent, 'x-tc-action': action } = exchange.request.headers;
    const name = `CloudApi ${typeof action === 'string' ? action : 'unknown'}`;
    const parent = typeof traceparent === 'string' ? traceparent : undefined;
    const attributes = { 'scf.request_id': exchange.requestId };
    return withSpan(name, { kind: 'server', parent, attributes }, () => this.answer(exchange));
  }

  private async answer(exchange: Exchange): Promise<string> {
    const { request, requestId } = exchange;
    const claim = this.options.authenticator.claim(request);
    const action = readAction(request);
    const limit = bodyLimit(action);
    checkContentLength(request, limit);
    if (exchange.expectsContinue) exchange.response.writeContinue();
    const { maxZipBytes }: Action = actions[action];
    if (maxZipBytes !== undefined) return this.answerWithPackage(exchange, action, claim, maxZipBytes);
    const body = await readBody(request, limit);
    claim.check(body.sha256);
    const parsed = parseBody(body.bytes);
    if (isInvoke(action)) {
      const invoke = readInvoke(action, parsed);
      return this.options.invocations.run(invoke, claim.caller, requestId, hangUpSignal(request.socket));
    }
    const checked = parseShape(actions[action].request, parsed);
    return this.control(action, requestId, claim.caller, checked);
  }

  private async answerWithPackage(
    { request, requestId }: Exchange,
    action: ActionName,
    claim: { caller: Caller; check(sha256: string): void },
    maxZipBytes: number,
  ): Promise<string> {
    const { packages } = this.options;
    const { rest, sha256, upload, release } = await packages.receive(request, bodyLimit(action), maxZipBytes);
    try {
      claim.check(sha256);
      const checked = parseShape(actions[action].request, parseBody(rest));
      return await this.control(action, requestId, claim.caller, checked, upload && (await upload.store()));
    } catch (error) {
      // The registry takes the object over only when it succeeds.
      await upload?.discard(error instanceof Error ? error : new Error('refused'));
      throw error;
    } finally {
      release();
    }
  }

  private async control(
    action: ActionName,
    requestId: string,
    caller: Caller,
    request: Record<string, unknown>,
    upload?: Upload,
  ): Promise<string> {
    const response = await this.options.controlActions.run({ action, requestId, caller, request, upload });
    this.options.logger.info({ requestId, action }, 'action done');
    return responseText(response, requestId);
  }

  private sendError({ request, response, requestId }: Exchange, error: unknown): void {
    if (error instanceof RequestAbortedError) return;
    const { logger } = this.options;
    const action = request.headers['x-tc-action'];
    if (error instanceof PlatformError) {
      const { code, message, fault, cause } = error;
      const fields = { requestId, action, code };
      // One line per refused call would be a flood when a quota is used up.
      if (fault === 'caller') logger[isInvoke(action) ? 'debug' : 'info'](fields, 'action refused');
      else
        logger.warn(
          { ...fields, reason: message, ...(cause !== undefined && { error: cause }) },
          'action failed',
        );
      sendAnswer(request, response, errorText(code, message, requestId), this.draining);
      return;
    }
    logger.error({ requestId, action, error }, 'action failed unexpectedly');
    const message = `Something went wrong inside the platform; its log has the request id ${requestId}.`;
    sendAnswer(request, response, errorText(errorCodes.internal, message, requestId), this.draining);
  }
}

function isInvoke(action: unknown): action is InvokeAction {
  return action === 'Invoke' || action === 'InvokeFunction';
}
