import { CallerError, type Caller, type FunctionState, type InvokeCall } from '@openscf/contracts';
import type { Dispatcher } from '@openscf/dispatch';
import { acceptedResult, errorCodes, resultText } from '@openscf/scf-api';
import { currentTraceparent, isTracing, type Logger } from '@openscf/telemetry';
import type { RouteTable } from '../routes/route-table.js';
import type { AsyncEvents } from './async-events.publisher.js';
import type { InvokeRequest } from './invoke-request.js';
import { toResult } from './outcome.policy.js';

export interface InvokerOptions {
  routes: RouteTable;
  dispatcher: Pick<Dispatcher, 'invoke'>;
  asyncEvents: Pick<AsyncEvents, 'accept'>;
  logger: Logger;
}

/** What a call takes besides the function's own time: finding the code, starting an instance, the way there and back. */
export const MARGIN_MS = 15_000;
const SOURCE = 'cloud-api';

/** Invoke and InvokeFunction: straight to an invoker when sync, into the queue when async. */
export class Invocations {
  constructor(private readonly options: InvokerOptions) {}

  /**
   * The text of the answer. Throws a CallerError for a call that cannot be made, NotRunError for one that found no room, and
   * UnavailableError when an async call could not be stored.
   */
  async run(request: InvokeRequest, caller: Caller, requestId: string, signal: AbortSignal): Promise<string> {
    const target = this.options.routes.resolve(request.namespace, request.functionName, request.qualifier);
    if (target.type === 'HTTP') {
      const message = `The function ${JSON.stringify(request.functionName)} is a web function: it cannot be invoked, call its URL.`;
      throw new CallerError(errorCodes.badFunctionType, message);
    }
    if (request.isAsync) {
      await this.options.asyncEvents.accept(request, caller, requestId);
      return resultText(acceptedResult(requestId), requestId);
    }
    return this.runSync(request, target, requestId, signal);
  }

  private async runSync(
    request: InvokeRequest,
    target: FunctionState,
    requestId: string,
    signal: AbortSignal,
  ): Promise<string> {
    const call: InvokeCall = {
      requestId,
      functionKey: `${target.namespace}/${target.functionName}/${target.version}`,
      revision: target.revision,
      invocationType: 'RequestResponse',
      retryNum: 0,
      source: SOURCE,
      qualifier: request.qualifier,
      logTail: request.logTail,
      acceptedAt: Date.now(),
    };
    if (isTracing()) {
      const traceparent = currentTraceparent();
      if (traceparent !== undefined) call.traceparent = traceparent;
    }
    const timeoutMs = target.timeoutMs + target.initTimeoutMs + MARGIN_MS;
    const { outcome, body } = await this.options.dispatcher.invoke(call, request.event, {
      timeoutMs,
      runtime: target.runtime,
      signal,
    });
    const { logger } = this.options;
    if (logger.isLevelEnabled('debug')) {
      const { kind, statusCode } = outcome;
      logger.debug({ requestId, functionKey: call.functionKey, kind, statusCode }, 'invocation answered');
    }
    return resultText(toResult(outcome, body, requestId), requestId);
  }
}
