import type { InvokeOutcome } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import {
  decide,
  FUNCTION_RETRY_MS,
  isTooOld,
  KEPT_ATTEMPTS,
  NO_PROGRESS,
  type Decision,
  type Progress,
} from './retry.policy.js';

const rules = { asyncRetryNum: 2, asyncMaxAgeMs: 6 * 3_600_000 };
const usage = { durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' };
const succeeded: InvokeOutcome = { kind: 'succeeded', statusCode: 200, ...usage };
const failed: InvokeOutcome = { kind: 'failed', statusCode: 430, message: 'thrown', ...usage };
const throttled: InvokeOutcome = { kind: 'throttled', statusCode: 432, message: 'full' };
const lost: InvokeOutcome = {
  kind: 'refused',
  statusCode: 500,
  message: 'the invoker was lost',
  retryable: false,
};
const away: InvokeOutcome = { kind: 'refused', statusCode: 500, message: 'no invoker', retryable: true };
const unknown: InvokeOutcome = {
  kind: 'refused',
  statusCode: 435,
  message: 'no such function',
  retryable: false,
};

function after(
  outcome: InvokeOutcome,
  progress: Progress = NO_PROGRESS,
  now = 0,
  asyncRetryNum = 2,
): Decision {
  return decide({ outcome, progress, rules: { ...rules, asyncRetryNum }, acceptedAt: 0, now, random: 0 });
}

/** Runs an event in virtual time against one outcome and tells when each attempt began and how it ended. */
function live(outcome: InvokeOutcome): { at: number[]; retryNums: number[]; end: Decision } {
  const at: number[] = [];
  const retryNums: number[] = [];
  let now = 0;
  let progress = NO_PROGRESS;
  for (;;) {
    at.push(now);
    retryNums.push(progress.retryNum);
    const decision = after(outcome, progress, now);
    if (decision.kind !== 'retry') return { at, retryNums, end: decision };
    now = decision.at;
    progress = decision.progress;
  }
}

describe('decide', () => {
  it('is done after success', () => {
    expect(after(succeeded)).toEqual({ kind: 'done' });
  });

  it('tries a failing function twice more, one minute apart, then gives up', () => {
    const { at, retryNums, end } = live(failed);
    expect(at).toEqual([0, FUNCTION_RETRY_MS, 2 * FUNCTION_RETRY_MS]);
    expect(retryNums).toEqual([0, 1, 2]);
    expect(end).toMatchObject({ kind: 'dead', reason: 'retries-exhausted' });
    expect(end.kind === 'dead' && end.attempts).toHaveLength(3);
  });

  it('does not retry when the function says 0', () => {
    expect(after(failed, NO_PROGRESS, 0, 0)).toMatchObject({ kind: 'dead', reason: 'retries-exhausted' });
  });

  it.each([throttled, away])(
    'tries again soon, then every minute, until the event is six hours old: $kind',
    (outcome) => {
      const { at, retryNums, end } = live(outcome);
      expect(at.slice(0, 8)).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000]);
      expect(at.at(-1)).toBeLessThan(rules.asyncMaxAgeMs);
      expect(at.at(-1)).toBeGreaterThanOrEqual(rules.asyncMaxAgeMs - 60_000);
      expect(new Set(retryNums)).toEqual(new Set([0]));
      expect(end).toMatchObject({ kind: 'dead', reason: 'too-old' });
      expect(end.kind === 'dead' && end.attempts.length).toBe(KEPT_ATTEMPTS);
    },
  );

  it('numbers the attempt after a lost one anew and keeps the retries of the function', () => {
    const decision = after(lost);
    expect(decision).toMatchObject({
      kind: 'retry',
      at: 1_000,
      progress: { retryNum: 1, failures: 0, setbacks: 1 },
    });
  });

  it('starts the back-off anew once the function has run', () => {
    const progress = { ...NO_PROGRESS, setbacks: 5 };
    expect(after(failed, progress)).toMatchObject({ kind: 'retry', progress: { setbacks: 0, failures: 1 } });
  });

  it('tries again when an invoker does not know the function: whether it is gone is decided before the attempt', () => {
    expect(after(unknown)).toMatchObject({ kind: 'retry', progress: { retryNum: 0, setbacks: 1 } });
  });

  it('starts no attempt past the age', () => {
    expect(after(failed, NO_PROGRESS, rules.asyncMaxAgeMs - FUNCTION_RETRY_MS)).toMatchObject({
      reason: 'too-old',
    });
    expect(isTooOld(0, rules, rules.asyncMaxAgeMs - 1)).toBe(false);
    expect(isTooOld(0, rules, rules.asyncMaxAgeMs)).toBe(true);
  });
});
