import type { KeepAlive } from '../instance-pool/keep-alive.types.js';
import { FunctionHistory } from './function-history.js';

export interface LearnedKeepAliveOptions {
  /** How long an idle instance stays of which nothing is known. */
  readonly keepMs: number;
  /** When a function's next call is known for sure (a timer), in ms of the same clock as all times here. */
  readonly nextTick: (functionKey: string, now: number) => number | undefined;
}

/** The next call, as far as it is known. */
interface Expected {
  readonly from: number;
  readonly until: number;
}

/** A gap at least this long is worth letting go in between and starting ahead. */
const MINUTE_MS = 60_000;
const LONG_GAP_MS = MINUTE_MS;
/** A call that is nearer than this is worth no more. */
const SOONEST_MS = 5_000;
/** An instance that is let go until its next call stays this long, for whoever calls at once again. */
const LINGER_MS = 5_000;
/** How late a timer's call may come. */
const TICK_LATE_MS = 5_000;
/** A start ahead begins so long before the call, besides what the start takes. */
const MARGIN_MS = 2_000;
/** Gaps that differ by more than this say nothing of the next one. */
const MOST_SPREAD = 2;
/** The part of the earliest time at which an instance is there again. */
const EARLY = 0.9;
/** An idle instance stays no longer than so many times `keepMs`, whatever is known of its function. */
const MOST_TIMES = 6;
const MOST_FUNCTIONS = 10_000;

/**
 * Keeps instances by what they are worth, and knows when they are wanted again.
 *
 * 1. Of what nothing is known stays for `keepMs`, and goes earlier only for want of memory: the least valuable first
 *    (frequency × cost of a cold start / memory, where a call counts less the longer ago it was).
 * 2. Of what the next call is far away, by its timer or by what its gaps were, goes soon, first of all when memory is short, and is
 *    started ahead of that call (`due`).
 * 3. Of what the calls come at gaps a little longer than `keepMs` stays until then.
 */
export class LearnedKeepAlive implements KeepAlive {
  private readonly histories = new Map<string, FunctionHistory>();
  /** Functions that were let go until a time. */
  private readonly later = new Map<string, Expected>();

  constructor(private readonly options: LearnedKeepAliveOptions) {}

  called(functionKey: string, now: number): void {
    this.later.delete(functionKey);
    let history = this.histories.get(functionKey);
    if (history === undefined) {
      history = new FunctionHistory();
      this.histories.set(functionKey, history);
      const [oldest] = this.histories.keys();
      if (this.histories.size > MOST_FUNCTIONS && oldest !== undefined) this.histories.delete(oldest);
    }
    history.called(now);
  }

  idle(functionKey: string, coldMs: number, now: number): void {
    const history = this.histories.get(functionKey);
    if (history === undefined) return;
    if (coldMs > 0) history.coldMs = coldMs;
    const expected = this.expected(functionKey, now);
    if (expected !== undefined && expected.from - now >= LONG_GAP_MS) this.later.set(functionKey, expected);
  }

  value(functionKey: string, memoryMb: number, now: number): number {
    const history = this.histories.get(functionKey);
    if (history === undefined) return 0;
    const expected = this.expected(functionKey, now);
    if (expected !== undefined && expected.from - now >= LONG_GAP_MS) return 0;
    const soon = expected === undefined ? 0 : MINUTE_MS / Math.max(SOONEST_MS, middleOf(expected) - now);
    const callsPerMinute = Math.max(history.callsPerMinute(now), soon);
    return (callsPerMinute * history.coldMs) / memoryMb;
  }

  keepMs(functionKey: string, idleSince: number): number {
    const { keepMs } = this.options;
    const expected = this.expected(functionKey, idleSince);
    if (expected === undefined) return keepMs;
    if (expected.from - idleSince >= LONG_GAP_MS) return LINGER_MS;
    return Math.min(MOST_TIMES * keepMs, Math.max(keepMs, expected.until - idleSince));
  }

  /** Functions whose next call is so near that an instance is to be started for it; each is told until it is called. */
  due(now: number): string[] {
    const due: string[] = [];
    for (const [functionKey, { from, until }] of this.later) {
      const coldMs = this.histories.get(functionKey)?.coldMs ?? 0;
      if (now > until) this.later.delete(functionKey);
      else if (now >= from - 2 * coldMs - MARGIN_MS) due.push(functionKey);
    }
    return due;
  }

  private expected(functionKey: string, now: number): Expected | undefined {
    const tick = this.options.nextTick(functionKey, now);
    if (tick !== undefined) return { from: tick, until: tick + TICK_LATE_MS };
    const history = this.histories.get(functionKey);
    const window = history?.gaps.window();
    if (window === undefined || history?.lastCallAt === undefined) return undefined;
    if (window.latestMs > MOST_SPREAD * window.earliestMs) return undefined;
    const from = history.lastCallAt + EARLY * window.earliestMs;
    const until = history.lastCallAt + window.latestMs;
    return until < now ? undefined : { from, until };
  }
}

function middleOf({ from, until }: Expected): number {
  return (from + until) / 2;
}
