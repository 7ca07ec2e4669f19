/**
 * Files in the order of use:
 * - dispatcher.ts: the caller's end: which invokers to try, and what their answers come to
 * - invoker-choice.policy.ts: the order in which invokers are tried
 * - endpoint.policy.ts: by which way an invoker is reached
 * - invoker.client.ts: the connection to one invoker
 * - outgoing-web-request.ts: a web request over the invokers that it is tried on
 * - invoker.probe.ts: finds out when a silent invoker answers again
 * - dispatch.codec.ts: heads of calls and outcomes
 * - dispatch.server.ts: the invoker's end
 * - web-exchange.ts: the invoker's end of one web request
 * - outcome.factory.ts: outcomes that are not the function's
 */
export {
  Dispatcher,
  type DispatcherOptions,
  type DispatchLogger,
  type InvokeOptions,
  type InvokerTable,
} from './dispatcher.js';
export { hostId } from './endpoint.policy.js';
export { rendezvousWeight } from './invoker-choice.policy.js';
export { OutgoingWebRequest, type WebRequestEvents } from './outgoing-web-request.js';
export { DispatchServer, type CallerPresence, type DispatchServerOptions } from './dispatch.server.js';
export { parseResponse } from './dispatch.codec.js';
export { grantedBytes, WebExchange, type WebCall, type WebReceiver } from './web-exchange.js';
export { refused, throttled, type DispatchResult } from './outcome.factory.js';
