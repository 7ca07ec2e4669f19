import type { Attempt, DeadEvent, InvokeOutcome } from '@openscf/contracts';

/** SCF tries again one minute after the function's own error (scf-api section 5, async retry). */
export const FUNCTION_RETRY_MS = 60_000;
/** The first try after the platform's own trouble comes soon, later ones up to a minute apart. */
const FIRST_SETBACK_MS = 1_000;
const LONGEST_SETBACK_MS = 60_000;
const JITTER = 0.2;
/** An event that is throttled for six hours meets 400 refusals; the first and the newest are kept. */
export const KEPT_ATTEMPTS = 20;
/** A refusal below this says what is wrong with the call; from here on it may have been lost on its way. */
const PLATFORM_STATUS = 500;

/** How far an event has come. */
export interface Progress {
  /** Attempts that ran or may have run: the `retryNum` of the next one. */
  readonly retryNum: number;
  /** Attempts that ended by the function's own fault. */
  readonly failures: number;
  /** Attempts in a row that the platform could not make. */
  readonly setbacks: number;
  readonly attempts: readonly Attempt[];
}

export const NO_PROGRESS: Progress = { retryNum: 0, failures: 0, setbacks: 0, attempts: [] };

/** What the function says about its events. */
export interface RetryRules {
  readonly asyncRetryNum: number;
  readonly asyncMaxAgeMs: number;
}

export type Decision =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly at: number; readonly progress: Progress }
  | { readonly kind: 'dead'; readonly reason: DeadEvent['reason']; readonly attempts: readonly Attempt[] };

export interface AttemptEnd {
  readonly outcome: InvokeOutcome;
  readonly progress: Progress;
  readonly rules: RetryRules;
  readonly acceptedAt: number;
  readonly now: number;
  /** 0 to 1, so that events that met the same trouble do not come back together. */
  readonly random: number;
}

/**
 * What becomes of an event after an attempt. The function's fault: again a minute later, `asyncRetryNum` times. The
 * platform's: again after a back-off. No attempt starts once the event is older than its limit.
 */
export function decide(end: AttemptEnd): Decision {
  const { outcome, progress, rules, now } = end;
  if (outcome.kind === 'succeeded') return { kind: 'done' };
  const attempt = { at: now, statusCode: outcome.statusCode, message: outcome.message };
  const attempts = withAttempt(progress.attempts, attempt);

  if (outcome.kind === 'failed') {
    const failures = progress.failures + 1;
    if (failures > rules.asyncRetryNum) return { kind: 'dead', reason: 'retries-exhausted', attempts };
    const next = { retryNum: progress.retryNum + 1, failures, setbacks: 0, attempts };
    return retryAt(now + FUNCTION_RETRY_MS, next, end);
  }
  // A call that was lost on its way may have run, so the next one has a number of its own.
  const mayHaveRun =
    outcome.kind === 'refused' && !outcome.retryable && outcome.statusCode >= PLATFORM_STATUS;
  const next = {
    retryNum: progress.retryNum + (mayHaveRun ? 1 : 0),
    failures: progress.failures,
    setbacks: progress.setbacks + 1,
    attempts,
  };
  return retryAt(now + setbackMs(progress.setbacks, end.random), next, end);
}

/** True when no attempt may start any more. */
export function isTooOld(acceptedAt: number, rules: RetryRules, now: number): boolean {
  return now >= acceptedAt + rules.asyncMaxAgeMs;
}

function retryAt(at: number, progress: Progress, end: AttemptEnd): Decision {
  if (isTooOld(end.acceptedAt, end.rules, at))
    return { kind: 'dead', reason: 'too-old', attempts: progress.attempts };
  return { kind: 'retry', at, progress };
}

function setbackMs(setbacks: number, random: number): number {
  const ms = Math.min(LONGEST_SETBACK_MS, FIRST_SETBACK_MS * 2 ** Math.min(setbacks, 10));
  return Math.round(ms * (1 - JITTER * random));
}

function withAttempt(attempts: readonly Attempt[], attempt: Attempt): readonly Attempt[] {
  const all = [...attempts, attempt];
  return all.length <= KEPT_ATTEMPTS ? all : [...all.slice(0, 1), ...all.slice(2)];
}
