import type { FunctionState } from '@openscf/contracts';
import type { FunctionFailure } from '../execution/outcome.policy.js';
import { failureOfEnd } from '../execution/outcome.policy.js';
import type { RuntimeFailure } from '../instance/channel.types.js';
import type { InvocationEnd } from '../instance/instance.types.js';

/** How a web request ended. */
export type WebEnd =
  /** The response is complete; a WebSocket was closed as the protocol wants it. */
  | { readonly kind: 'complete' }
  /** The runtime's word instead of a response. */
  | { readonly kind: 'failure'; readonly failure: RuntimeFailure }
  /** The function's server has broken off, or what it sends is not to be understood. */
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'too-large'; readonly message: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'idle'; readonly idleMs: number }
  /** The caller has hung up; `badly`: it left a WebSocket open. */
  | { readonly kind: 'canceled'; readonly badly: boolean }
  /** The instance ended under it. */
  | { readonly kind: 'gone'; readonly end: Extract<InvocationEnd, { kind: 'exited' | 'destroyed' }> };

/** @returns undefined for a request that was served; codes as in scf-api, section 5 */
export function failureOfWeb(
  end: WebEnd,
  state: FunctionState,
  lastLines: string,
): FunctionFailure | undefined {
  switch (end.kind) {
    case 'complete':
      return undefined;
    case 'failure':
      return failureOfEnd({ kind: 'failure', failure: end.failure }, state, lastLines);
    case 'broken':
      return failure(439, end.message);
    case 'too-large':
      return failure(407, end.message);
    case 'timed-out':
      return failureOfEnd({ kind: 'timed-out' }, state, lastLines);
    case 'idle':
      return failure(455, `the WebSocket connection was idle for ${end.idleMs / 1000} seconds`);
    case 'canceled':
      return end.badly
        ? failure(456, 'the client has left the WebSocket connection without closing it')
        : failure(499, 'RequestCanceled: the client has closed the connection');
    case 'gone':
      return failureOfEnd(end.end, state, lastLines);
  }
}

/** Whether the instance must not be used again: scf-api says it of 433, 434 and 439, where the process is at fault. */
export function mustRecycle(end: WebEnd): boolean {
  return end.kind === 'timed-out' || (end.kind === 'failure' && end.failure.recycle === true);
}

function failure(statusCode: number, errorMessage: string): FunctionFailure {
  return { statusCode, errorMessage, stackTrace: '' };
}
