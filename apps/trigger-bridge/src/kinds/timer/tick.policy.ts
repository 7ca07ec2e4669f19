/**
 * Which ticks of a schedule are due, from the clock and the last tick that is settled. Pure: the clock is an argument.
 *
 * - a tick is due when `settledAt < tick <= now`;
 * - a due tick fires when it is at most `catchUpMs` late, so that a short outage loses none;
 * - an older one is missed: it is counted for the log and never fires.
 */
import { Cron } from 'croner';

export interface DueTicks {
  /** Milliseconds since the epoch, oldest first. */
  fire: number[];
  /** Ticks too late to fire, counted up to `MISSED_COUNT_LIMIT`. */
  missed: number;
  /** The newest instant that is settled once `fire` has been published. */
  settledAt: number;
}

/** Counting the ticks of a long outage stops here. */
export const MISSED_COUNT_LIMIT = 1_000;

/** A schedule of SCF: `second minute hour day month week year` in UTC; day and week both given means that either matches. */
export interface Schedule {
  /** The first tick after `afterMs`, or undefined when there is none. */
  next(afterMs: number): number | undefined;
}

export function parseSchedule(cron: string): Schedule {
  const pattern = new Cron(cron, { timezone: 'UTC', mode: '7-part', domAndDow: false, paused: true });
  // The same question is asked again and again until the tick has come.
  let asked: number | undefined;
  let answer: number | undefined;
  return {
    next: (afterMs) => {
      if (asked !== afterMs) answer = pattern.nextRun(new Date(afterMs))?.getTime();
      asked = afterMs;
      return answer;
    },
  };
}

export function dueTicks(schedule: Schedule, settledAt: number, nowMs: number, catchUpMs: number): DueTicks {
  const oldest = Math.max(settledAt, nowMs - catchUpMs - 1);
  return {
    fire: ticksBetween(schedule, oldest, nowMs, Number.POSITIVE_INFINITY),
    missed: ticksBetween(schedule, settledAt, oldest, MISSED_COUNT_LIMIT).length,
    settledAt: Math.max(settledAt, nowMs),
  };
}

/** Ticks in `(afterMs, untilMs]`. */
function ticksBetween(schedule: Schedule, afterMs: number, untilMs: number, limit: number): number[] {
  const ticks: number[] = [];
  let tick = schedule.next(afterMs);
  while (tick !== undefined && tick <= untilMs && ticks.length < limit) {
    ticks.push(tick);
    tick = schedule.next(tick);
  }
  return ticks;
}
