import type { KeepAlive, StartAhead } from '../instance-pool/keep-alive.types.js';
import { FunctionHistory } from './function-history.js';
import { GapsOfAll } from './gaps-of-all.js';

export interface LearnedKeepAliveOptions {
  /** How long an idle instance stays of which nothing is known. */
  readonly keepMs: number;
  /** When a function's next call is known for sure (a timer), in ms of the same clock as all times here. */
  readonly nextTick: (functionKey: string, now: number) => number | undefined;
}

const MINUTE_MS = 60_000;
/** What an instance is worth goes by the calls within this time. */
const NEAR_MS = MINUTE_MS;
/** An instance that is let go until its timer ticks stays this long, for whoever calls at once again. */
const LINGER_MS = 5_000;
/** Fewer calls than this, expected within `keepMs`, are not worth staying for. */
const SELDOM = 0.1;
/** How late a timer's call may come. */
const TICK_LATE_MS = 5_000;
/** A start ahead begins so long before a tick, besides twice what the start takes. */
const MARGIN_MS = 2_000;
/** An idle instance stays no longer than so many times `keepMs`, whatever is expected of its function. */
const MOST_TIMES = 6;
const MOST_FUNCTIONS = 10_000;

/**
 * Holds those instances that are worth most, whether they are there or are to be started.
 *
 * 1. An instance is worth: calls expected for the time that it waits for one × cost of a cold start / memory. How many are expected goes by
 *    how long ago the last one was, and what came of that before.
 * 2. Calls by timers are known: they count when they are near, and for nothing before. An instance that waits for nothing but
 *    a tick that is further away than `keepMs` is let go, and another one started ahead.
 * 3. Who had to go, or went in vain, is started again when a call within `keepMs` is likely and it is worth more than what is there:
 *    a function that is called once takes a place for a moment only.
 * 4. Memory that nothing needs is kept for `keepMs`, or longer where a call is likely.
 */
export class LearnedKeepAlive implements KeepAlive {
  private readonly histories = new Map<string, FunctionHistory>();
  private readonly gapsOfAll = new GapsOfAll();
  /** Functions that had an instance and were called before, and whose instance is gone. */
  private readonly away = new Set<string>();

  constructor(private readonly options: LearnedKeepAliveOptions) {}

  called(functionKey: string, now: number): void {
    this.away.delete(functionKey);
    const history = this.histories.get(functionKey) ?? this.remember(functionKey);
    const { tick } = history;
    if (tick !== undefined && Math.abs(now - tick) <= TICK_LATE_MS) history.tick = undefined;
    else history.called(now);
  }

  idle(functionKey: string, coldMs: number, now: number): void {
    this.away.delete(functionKey);
    const history = this.histories.get(functionKey);
    if (history === undefined) return;
    if (coldMs > 0) history.coldMs = coldMs;
    this.nextTick(functionKey, history, now);
  }

  gone(functionKey: string): void {
    if (this.histories.has(functionKey)) this.away.add(functionKey);
  }

  value(functionKey: string, memoryMb: number, now: number): number {
    const history = this.histories.get(functionKey);
    if (history === undefined) return 0;
    return (this.callsPerMs(functionKey, history, now) * MINUTE_MS * history.coldMs) / memoryMb;
  }

  keepMs(functionKey: string, idleSince: number): number {
    const { keepMs } = this.options;
    const history = this.histories.get(functionKey);
    if (history === undefined) return keepMs;
    const expected = (at: number): number => history.callsPerMs(at, keepMs) * keepMs;
    const isTickFar = history.tick !== undefined && history.tick - idleSince > keepMs;
    if (isTickFar && expected(idleSince) < SELDOM) return LINGER_MS;
    let times = 1;
    while (times < MOST_TIMES && expected(idleSince + times * keepMs) >= 1) times++;
    return times * keepMs;
  }

  due(now: number): StartAhead[] {
    const { keepMs } = this.options;
    const known: StartAhead[] = [];
    const likely: { functionKey: string; worth: number }[] = [];
    for (const functionKey of this.away) {
      const history = this.histories.get(functionKey);
      if (history === undefined) this.away.delete(functionKey);
      else if (this.isTickNear(functionKey, history, now)) known.push({ functionKey, isKnown: true });
      else if (history.callsPerMs(now, keepMs) * keepMs >= 1)
        likely.push({ functionKey, worth: history.callsPerMs(now, NEAR_MS) * history.coldMs });
    }
    likely.sort((a, b) => b.worth - a.worth);
    return [...known, ...likely.map(({ functionKey }) => ({ functionKey, isKnown: false }))];
  }

  private remember(functionKey: string): FunctionHistory {
    const history = new FunctionHistory(this.gapsOfAll);
    this.histories.set(functionKey, history);
    const [oldest] = this.histories.keys();
    if (this.histories.size > MOST_FUNCTIONS && oldest !== undefined) this.histories.delete(oldest);
    return history;
  }

  private callsPerMs(functionKey: string, history: FunctionHistory, now: number): number {
    const byTimer = this.isTickNear(functionKey, history, now) ? 1 / aheadMs(history) : 0;
    return byTimer + history.callsPerMs(now, NEAR_MS);
  }

  private isTickNear(functionKey: string, history: FunctionHistory, now: number): boolean {
    const tick = this.nextTick(functionKey, history, now);
    return tick !== undefined && tick - now <= aheadMs(history);
  }

  /** The tick whose call is next to come, which may be a little late. */
  private nextTick(functionKey: string, history: FunctionHistory, now: number): number | undefined {
    const { tick } = history;
    if (tick === undefined || now < tick || now > tick + TICK_LATE_MS)
      history.tick = this.options.nextTick(functionKey, now);
    return history.tick;
  }
}

/** How long before its tick an instance is started. */
function aheadMs({ coldMs }: FunctionHistory): number {
  return 2 * coldMs + MARGIN_MS;
}
