import { PlatformError, type InvokeOutcome } from '@openscf/contracts';
import { errorCodes, type InvokeResult } from '@openscf/scf-api';

/** SCF's status 432: every slot of the quota is taken. */
const THROTTLED = 432;

/** An error that the SDKs throw, because nothing has run and trying again is safe. */
export class NotRunError extends PlatformError {
  constructor(code: string, message: string, statusCode: number) {
    // A used-up quota is the caller's to wait for; anything else is ours.
    const fault = statusCode === THROTTLED ? 'caller' : 'platform';
    super(message, { code, fault, retryable: true, info: { statusCode } });
  }
}

const NOT_RUN_CODES = new Map<number, string>([
  [THROTTLED, errorCodes.quota],
  [435, errorCodes.noFunction],
  [438, errorCodes.functionStatus],
  [442, errorCodes.noQualifier],
]);

function notRun(statusCode: number, message: string): NotRunError {
  const code = NOT_RUN_CODES.get(statusCode) ?? errorCodes.internal;
  const text = statusCode === THROTTLED ? `ResourceLimitReached (${THROTTLED}): ${message}` : message;
  return new NotRunError(code, text, statusCode);
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * What the caller of a sync call is told (docs/adr/0004-answers-of-calls-that-did-not-run.md):
 * - done, or the function's own failure: a Result with InvokeResult 0 or 1;
 * - not run and safe to try again (no room, no invoker): throws NotRunError, so that SDKs throw too;
 * - anything else of the platform, where the event may have run: a Result with InvokeResult -1.
 */
export function toResult(outcome: InvokeOutcome, body: Buffer, requestId: string): InvokeResult {
  switch (outcome.kind) {
    case 'succeeded':
    case 'failed':
      return {
        log: outcome.log,
        retMsg: body.toString(),
        errMsg: outcome.kind === 'failed' ? outcome.message : '',
        memoryBytes: outcome.memoryBytes,
        durationMs: roundMs(outcome.durationMs),
        billedMs: outcome.billedMs,
        functionRequestId: requestId,
        invokeResult: outcome.kind === 'failed' ? 1 : 0,
      };
    case 'throttled':
      throw notRun(outcome.statusCode, outcome.message);
    case 'refused':
      if (outcome.retryable) throw notRun(outcome.statusCode, outcome.message);
      return {
        log: '',
        retMsg: outcome.message,
        errMsg: outcome.message,
        memoryBytes: 0,
        durationMs: 0,
        billedMs: 0,
        functionRequestId: requestId,
        invokeResult: -1,
      };
  }
}
