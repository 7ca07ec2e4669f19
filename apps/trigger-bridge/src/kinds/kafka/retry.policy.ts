/** Waits between attempts of one batch. */
export interface RetryTimes {
  /** After the function's own error, in ms. SCF: one minute. */
  functionErrorMs: number;
  /** After the platform's error or a throttled call: doubles from the first to the last, in ms. */
  platformFirstMs: number;
  platformLastMs: number;
}

/** Of a batch's attempts: what came last, and how often. */
export interface Tries {
  /** Attempts that ended with the function's own error. */
  functionErrors: number;
  /** Attempts in a row that the platform could not carry out. */
  platformErrors: number;
}

export type NextStep = { kind: 'wait'; ms: number } | { kind: 'give-up' };

/**
 * What follows an attempt that did not succeed. The function's errors are counted against the trigger's `retries`; the
 * platform's own are never the function's fault: those wait, longer and longer, for ever.
 */
export function afterFailure(tries: Tries, retries: number, times: RetryTimes): NextStep {
  if (tries.platformErrors > 0) {
    const doubled = times.platformFirstMs * 2 ** Math.min(tries.platformErrors - 1, 20);
    return { kind: 'wait', ms: Math.min(doubled, times.platformLastMs) };
  }
  if (tries.functionErrors > retries) return { kind: 'give-up' };
  return { kind: 'wait', ms: times.functionErrorMs };
}
