import type { TimerTrigger, TriggerState } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import { parseSchedule, type Schedule } from './tick.policy.js';
import type { TimerCursor } from './timer-cursor.repository.js';

/** An enabled timer, and how far this process knows it to be fired. */
export interface Timer {
  trigger: TimerTrigger;
  readonly schedule: Schedule;
  /** Names the schedule's cursor; a trigger that is made again, or gets another schedule, has another. */
  readonly incarnation: string;
  /** Its cursor is stored. */
  registered: boolean;
  /** What this process knows to be settled, in ms since the epoch; it never goes back. */
  settledAt: number;
  /** This process was the last to fire the trigger. */
  firedLast: boolean;
}

/** What is used of the stored cursors; see TimerCursorRepository. */
export interface CursorRegister {
  register(key: string, incarnation: string, seenAt: number): Promise<number>;
  forget(key: string, incarnation: string): Promise<void>;
  keepOnly(keys: readonly string[]): Promise<void>;
}

/** The enabled timers, and the cursors that have to be stored or removed for them. */
export class TimerSet {
  private readonly timers = new Map<string, Timer>();
  /** Cursors to remove, by trigger key, until that has been done. */
  private readonly forgotten = new Map<string, string>();
  /** Cursors of triggers that went while this service was away are removed. */
  private tidied = false;

  constructor(
    private readonly cursors: CursorRegister,
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {}

  /** A trigger is new, has changed, or is gone. Ticks of a new schedule count from now on. */
  take(key: string, trigger: TriggerState | undefined): void {
    const known = this.timers.get(key);
    if (trigger?.type !== 'timer' || !trigger.enabled) {
      if (known) this.forgotten.set(key, known.incarnation);
      this.timers.delete(key);
      return;
    }
    const incarnation = `${trigger.functionId} ${trigger.createdAt} ${trigger.cron}`;
    if (known?.incarnation === incarnation) {
      known.trigger = trigger;
      return;
    }
    try {
      const schedule = parseSchedule(trigger.cron);
      const begun = { registered: false, settledAt: this.now(), firedLast: false };
      this.timers.set(key, { trigger, schedule, incarnation, ...begun });
    } catch (error) {
      this.timers.delete(key);
      this.logger.warn({ error, trigger: key, cron: trigger.cron }, 'the schedule of a timer cannot be read');
    }
  }

  /** Stores and removes cursors until nothing is pending. @throws when they cannot be reached */
  async syncCursors(): Promise<void> {
    if (!this.tidied) await this.cursors.keepOnly([...this.timers.keys()]);
    this.tidied = true;
    for (const [key, incarnation] of this.forgotten) {
      await this.cursors.forget(key, incarnation);
      if (this.forgotten.get(key) === incarnation) this.forgotten.delete(key);
    }
    for (const [key, timer] of this.timers) {
      if (timer.registered) continue;
      const settledAt = await this.cursors.register(key, timer.incarnation, timer.settledAt);
      timer.settledAt = settledAt;
      timer.registered = true;
    }
  }

  /** True when `syncCursors` has something to do. */
  get pending(): boolean {
    if (this.forgotten.size > 0) return true;
    for (const timer of this.timers.values()) if (!timer.registered) return true;
    return false;
  }

  due(now: number): Map<string, Timer> {
    const due = [...this.timers].filter(
      ([, timer]) => (timer.schedule.next(timer.settledAt) ?? Infinity) <= now,
    );
    return new Map(due);
  }

  /** When the next tick of any of them comes. */
  nextTick(): number {
    let next = Infinity;
    for (const timer of this.timers.values()) {
      next = Math.min(next, timer.schedule.next(timer.settledAt) ?? Infinity);
    }
    return next;
  }
}

/** Those whose stored cursor is theirs, brought to where it is; for the others a cursor has to be stored again. */
export function adoptCursors(
  timers: ReadonlyMap<string, Timer>,
  cursors: ReadonlyMap<string, TimerCursor>,
): Map<string, Timer> {
  const owned = new Map<string, Timer>();
  for (const [key, timer] of timers) {
    const cursor = cursors.get(key);
    if (cursor?.incarnation !== timer.incarnation) {
      // Another replica has removed or replaced it, and is ahead of this one or behind.
      timer.registered = false;
      continue;
    }
    timer.settledAt = Math.max(timer.settledAt, cursor.settledAt);
    owned.set(key, timer);
  }
  return owned;
}
