import type { FunctionState } from '@openscf/contracts';
import { refused, throttled, type DispatchResult } from '@openscf/dispatch';
import type { Refusal } from '../instance-pool/pool.types.js';

/** What a caller is told that gets no instance; `memoryMb` is the host's for all of them. */
export function refusalResult(refusal: Refusal, state: FunctionState, memoryMb: number): DispatchResult {
  switch (refusal.kind) {
    case 'over':
      return throttled(refusal.message);
    case 'no-grant':
      return refused('the invoker has no concurrency granted yet', { retryable: true });
    case 'no-memory':
      return throttled(
        `Function [ ${state.functionName} ] cannot start another instance: the host's ${memoryMb} MB for instances are in use`,
      );
    case 'too-fast': {
      const limit = `${refusal.perMinute} instances a minute`;
      return refused(`ResourceLimit: Function [ ${state.functionName} ] has started more than ${limit}`, {
        statusCode: 429,
        retryable: true,
      });
    }
    case 'closed':
      return refused('the invoker is shutting down', { retryable: true });
  }
}
