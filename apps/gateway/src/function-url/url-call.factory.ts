import { functionKey, type FunctionState, type InvokeCall } from '@openscf/contracts';
import { currentTraceparent, isTracing } from '@openscf/telemetry';
import { MARGIN_MS } from '../invoke/invoke.service.js';
import type { UrlCall, UrlExchange } from './url-exchange.js';

const SOURCE = 'http';

/** The call of a function through its URL. */
export function makeCall(
  { requestId, acceptedAt }: Pick<UrlExchange, 'requestId' | 'acceptedAt'>,
  { trigger, state }: Pick<UrlCall, 'trigger' | 'state'>,
): InvokeCall {
  const call: InvokeCall = {
    requestId,
    functionKey: functionKey(state),
    revision: state.revision,
    invocationType: 'RequestResponse',
    retryNum: 0,
    source: SOURCE,
    qualifier: trigger.qualifier,
    logTail: false,
    acceptedAt,
  };
  if (isTracing()) {
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) call.traceparent = traceparent;
  }
  return call;
}

/** The longest that an outcome may take. */
export function timeoutOf({ timeoutMs, initTimeoutMs }: FunctionState): number {
  return timeoutMs + initTimeoutMs + MARGIN_MS;
}
