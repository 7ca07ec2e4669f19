import type { InvokeOutcome } from '@openscf/contracts';

/** What a call comes to: the outcome, and the result or SCF's error JSON. */
export interface DispatchResult {
  readonly outcome: InvokeOutcome;
  readonly body: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/** Not started for a reason of the platform. `retryable`: another attempt cannot run the event a second time by this one's doing. */
export function refused(
  message: string,
  options: { statusCode?: number; retryable: boolean },
): DispatchResult {
  const { statusCode = 500, retryable } = options;
  return { outcome: { kind: 'refused', statusCode, message, retryable }, body: NO_BYTES };
}

export function throttled(message: string): DispatchResult {
  return { outcome: { kind: 'throttled', statusCode: 432, message }, body: NO_BYTES };
}
