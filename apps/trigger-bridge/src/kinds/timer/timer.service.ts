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
import { topics, type AsyncEvent, type TriggerState } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { Account } from '../../publishing/async-event.factory.js';
import type { EventBus } from '../../publishing/event-bus.types.js';
import type { TriggerKind } from '../../triggers/trigger-kind.types.js';
import { dueTicks } from './tick.policy.js';
import type { TimerCursor } from './timer-cursor.repository.js';
import { timerEventOf } from './timer-event.policy.js';
import { adoptCursors, TimerSet, type CursorRegister, type Timer } from './timer.set.js';

/** The longest sleep, so that a clock that was set is noticed. */
const LONGEST_SLEEP_MS = 5_000;
const RETRY_MS = 500;

/** The stored cursors; see TimerCursorRepository. */
export interface TimerCursors extends CursorRegister {
  advance(
    keys: readonly string[],
    fire: (cursors: ReadonlyMap<string, TimerCursor>) => Promise<ReadonlyMap<string, number>>,
  ): Promise<void>;
}

export interface TimerOptions {
  account: Account;
  catchUpMs: number;
  now?: () => number;
}

export class TimerService implements TriggerKind {
  readonly type = 'timer';
  private readonly timers: TimerSet;
  private alarm: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  /** Some cursor could not be stored or was not this process's: look again, but not at once. */
  private troubled = false;
  private readonly now: () => number;

  constructor(
    private readonly cursors: TimerCursors,
    private readonly bus: EventBus,
    private readonly logger: Logger,
    private readonly options: TimerOptions,
  ) {
    this.now = options.now ?? Date.now;
    this.timers = new TimerSet(cursors, logger, this.now);
  }

  begin(triggers: ReadonlyMap<string, TriggerState>): Promise<void> {
    for (const [key, trigger] of triggers) this.timers.take(key, trigger);
    this.wake();
    return Promise.resolve();
  }

  changed(key: string, trigger: TriggerState | undefined): void {
    this.timers.take(key, trigger);
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.alarm);
    await this.running;
  }

  /** Fires what is due now. Called by the clock; tests call it themselves. */
  async fireDue(): Promise<void> {
    this.troubled = false;
    await this.syncCursors();
    const now = this.now();
    const due = this.timers.due(now);
    const registered = new Map([...due].filter(([, timer]) => timer.registered));
    const fromMemory = [...due.values()].filter((timer) => !timer.registered);
    if (registered.size > 0) fromMemory.push(...(await this.fireRegistered(registered, now)));
    await this.publishDue(fromMemory, now);
  }

  private async syncCursors(): Promise<void> {
    try {
      await this.timers.syncCursors();
    } catch (error) {
      this.troubled = true;
      this.logger.warn({ error }, 'cursors of timers cannot be made; trying again');
    }
  }

  /** Fires under the lock of the cursors. Resolves with those that have to be fired without one. */
  private async fireRegistered(timers: ReadonlyMap<string, Timer>, now: number): Promise<Timer[]> {
    let published: Promise<void> | undefined;
    try {
      await this.cursors.advance([...timers.keys()], async (cursors) => {
        const owned = adoptCursors(timers, cursors);
        if (owned.size < timers.size) this.troubled = true;
        published = this.publishDue([...owned.values()], now);
        await published;
        return new Map([...owned].map(([key, timer]) => [key, timer.settledAt]));
      });
      return [];
    } catch (error) {
      // A tick that could not be published stays due. When only the cursor could not be stored, the tick is out already.
      await published;
      this.logger.warn({ error }, 'cursors of timers cannot be stored; going on from memory');
      return [...timers.values()].filter((timer) => timer.firedLast);
    }
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
    if (this.troubled) return RETRY_MS;
    if (this.timers.pending) return 0;
    return Math.min(Math.max(this.timers.nextTick() - this.now(), 1), LONGEST_SLEEP_MS);
  }
}
