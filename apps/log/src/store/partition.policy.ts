const DAY_MS = 86_400_000;
const DAYS_AHEAD = 2;

/** A day in UTC, as `20261122`. */
export type Day = string;

export function dayOf(ms: number): Day {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
}

/** The days of many times. */
export function daysOf(times: Iterable<number>): Day[] {
  const numbers = new Set<number>();
  for (const ms of times) numbers.add(Math.floor(ms / DAY_MS));
  return [...numbers].map((number) => dayOf(number * DAY_MS));
}

/** Where a day begins and the next one does, as PostgreSQL reads it. */
export function boundsOf(day: Day): { from: string; to: string } {
  const from = Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}T00:00:00Z`);
  return { from: new Date(from).toISOString(), to: new Date(from + DAY_MS).toISOString() };
}

/** Days that have partitions before a record needs them: from yesterday, whose records still come in, to two days ahead. */
export function daysAhead(now: number): Day[] {
  return Array.from({ length: DAYS_AHEAD + 2 }, (_, index) => dayOf(now + (index - 1) * DAY_MS));
}

/** True when everything of the day is older than the retention. */
export function isOutdated(day: Day, retentionDays: number, now: number): boolean {
  return day < dayOf(now - retentionDays * DAY_MS);
}

/**
 * The time under which a record is kept: its own. Undefined when it is older than the retention and would be dropped at once. A
 * time that no partition can be expected for, because a clock was wrong, becomes the last one that can.
 */
export function keptAt(ms: number, retentionDays: number, now: number): number | undefined {
  if (!(ms >= now - retentionDays * DAY_MS)) return undefined;
  return Math.min(Math.trunc(ms), now + DAYS_AHEAD * DAY_MS);
}
