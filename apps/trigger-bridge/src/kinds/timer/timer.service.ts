/**
 * Fires the ticks of all timers of the platform.
 *
 * Invariants:
 * 1. A tick is published while the row of its trigger's cursor is locked, and the cursor moves only when the tick is stored:
 *    two replicas do not fire the same tick, and a process that dies in between leaves a tick that is fired again under the
 *    same request id.
 * 2. The cursor never moves back: what this process has published counts, even if its cursor could not be stored.
 * 3. Without PostgreSQL, the replica that fired a trigger last goes on alone; without Kafka nothing moves, and what became
 *    due meanwhile is fired afterwards as far as the catch-up window reaches.
 */
import { topics, type AsyncEvent, type TimerTrigger, type TriggerState } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { Account } from '../../publishing/async-event.factory.js';
import type { EventBus } from '../../publishing/event-bus.types.js';
import type { TriggerKind } from '../../triggers/trigger-kind.types.js';
import { dueTicks, parseSchedule, type Schedule } from './tick.policy.js';
import type { TimerCursor } from './timer-cursor.repository.js';
import { timerEventOf } from './timer-event.policy.js';

/** The longest sleep, so that a clock that was set is noticed. */
const LONGEST_SLEEP_MS = 5_000;
const RETRY_MS = 500;

/** Keeps the cursors; see TimerCursorRepository. */
export interface TimerCursors {
  register(key: string, incarnation: string, seenAt: number): Promise<number>;
  forget(key: string, incarnation: string): Promise<void>;
  keepOnly(keys: readonly string[]): Promise<void>;
  advance(
    keys: readonly string[],
    fire: (cursors: ReadonlyMap<string, TimerCursor>) => Promise<ReadonlyMap<string, number>>,
  ): Promise<void>;
}

interface Timer {
  trigger: TimerTrigger;
  readonly schedule: Schedule;
  readonly incarnation: string;
  registered: boolean;
  /** What this process knows to be settled. */
  settledAt: number;
  /** This process was the last to fire the trigger. */
  firedLast: boolean;
}

export interface TimerOptions {
  account: Account;
  catchUpMs: number;
  now?: () => number;
}

export class TimerService implements TriggerKind {
  readonly type = 'timer';
  private readonly timers = new Map<string, Timer>();
  /** Cursors to remove, by trigger key, until that has been done. */
  private readonly forgotten = new Map<string, string>();
  private alarm: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private cursorsAway = false;
  /** Cursors of triggers that went while this service was away are removed. */
  private tidied = false;
  private readonly now: () => number;

  constructor(
    private readonly cursors: TimerCursors,
    private readonly bus: EventBus,
    private readonly logger: Logger,
    private readonly options: TimerOptions,
  ) {
    this.now = options.now ?? Date.now;
  }

  begin(triggers: ReadonlyMap<string, TriggerState>): Promise<void> {
    for (const [key, trigger] of triggers) this.take(key, trigger);
    this.wake();
    return Promise.resolve();
  }

  changed(key: string, trigger: TriggerState | undefined): void {
    this.take(key, trigger);
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.alarm);
    await this.running;
  }

  /** Fires what is due now. Called by the clock; tests call it themselves. */
  async fireDue(): Promise<void> {
    await this.registerNew();
    const now = this.now();
    const due = [...this.timers].filter(
      ([, timer]) => (timer.schedule.next(timer.settledAt) ?? Infinity) <= now,
    );
    const registered = new Map(due.filter(([, timer]) => timer.registered));
    const memory = due.filter(([, timer]) => !timer.registered).map(([, timer]) => timer);
    if (registered.size > 0) {
      let published: Promise<void> | undefined;
      try {
        await this.cursors.advance([...registered.keys()], async (cursors) => {
          const owned = this.adopt(registered, cursors);
          published = this.publishDue([...owned.values()], now);
          await published;
          return new Map([...owned].map(([key, timer]) => [key, timer.settledAt]));
        });
      } catch (error) {
        // A tick that could not be stored stays due. When only the cursor could not be, the tick is out already.
        await published;
        this.logger.warn({ error }, 'cursors of timers cannot be stored; going on from memory');
        memory.push(...[...registered.values()].filter((timer) => timer.firedLast));
      }
    }
    await this.publishDue(memory, now);
  }

  private take(key: string, trigger: TriggerState | undefined): void {
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
      const timer = {
        trigger,
        schedule,
        incarnation,
        registered: false,
        settledAt: this.now(),
        firedLast: false,
      };
      this.timers.set(key, timer);
    } catch (error) {
      this.timers.delete(key);
      this.logger.warn(
        { error, trigger: key, cron: trigger.cron },
        'a timer has a schedule that cannot be read',
      );
    }
  }

  private async registerNew(): Promise<void> {
    try {
      if (!this.tidied) await this.cursors.keepOnly([...this.timers.keys()]);
      this.tidied = true;
      for (const [key, incarnation] of this.forgotten) {
        await this.cursors.forget(key, incarnation);
        if (this.forgotten.get(key) === incarnation) this.forgotten.delete(key);
      }
      for (const [key, timer] of this.timers) {
        if (timer.registered) continue;
        timer.settledAt = await this.cursors.register(key, timer.incarnation, timer.settledAt);
        timer.registered = true;
      }
      this.cursorsAway = false;
    } catch (error) {
      this.cursorsAway = true;
      this.logger.warn({ error }, 'cursors of timers cannot be made; trying again');
    }
  }

  /** Takes over the stored cursors. */
  private adopt(
    timers: ReadonlyMap<string, Timer>,
    cursors: ReadonlyMap<string, TimerCursor>,
  ): Map<string, Timer> {
    const owned = new Map<string, Timer>();
    for (const [key, timer] of timers) {
      const cursor = cursors.get(key);
      // Removed or replaced by another replica: the table's next change tells this one.
      if (cursor?.incarnation !== timer.incarnation) continue;
      timer.settledAt = Math.max(timer.settledAt, cursor.settledAt);
      owned.set(key, timer);
    }
    return owned;
  }

  private async publishDue(timers: readonly Timer[], now: number): Promise<void> {
    const events: AsyncEvent[] = [];
    const after: (() => void)[] = [];
    for (const timer of timers) {
      const due = dueTicks(timer.schedule, timer.settledAt, now, this.options.catchUpMs);
      for (const tick of due.fire) events.push(timerEventOf(timer.trigger, this.options.account, tick, now));
      if (due.missed > 0) {
        const { functionName, namespace, triggerName } = timer.trigger;
        this.logger.warn({ namespace, functionName, triggerName, missed: due.missed }, 'ticks were missed');
      }
      after.push(() => {
        timer.settledAt = due.settledAt;
        timer.firedLast = due.fire.length > 0;
      });
    }
    if (events.length > 0) {
      await this.bus.publish(
        topics.events,
        events.map((value) => ({ key: value.requestId, value })),
      );
    }
    for (const settle of after) settle();
  }

  private wake(): void {
    if (this.stopped || this.running) return;
    clearTimeout(this.alarm);
    this.running = this.fireDue().then(
      () => this.sleep(this.untilNext()),
      (error: unknown) => {
        this.logger.warn({ error }, 'ticks cannot be published; trying again');
        this.sleep(RETRY_MS);
      },
    );
  }

  private sleep(ms: number): void {
    this.running = undefined;
    if (this.stopped) return;
    this.alarm = setTimeout(() => this.wake(), ms);
  }

  private untilNext(): number {
    // Work that came in meanwhile is taken at once.
    const pending = this.cursorsAway ? RETRY_MS : 0;
    let next = this.forgotten.size > 0 ? this.now() + pending : Infinity;
    for (const timer of this.timers.values()) {
      if (!timer.registered) next = Math.min(next, this.now() + pending);
      next = Math.min(next, timer.schedule.next(timer.settledAt) ?? Infinity);
    }
    return Math.min(Math.max(next - this.now(), 1), LONGEST_SLEEP_MS);
  }
}
