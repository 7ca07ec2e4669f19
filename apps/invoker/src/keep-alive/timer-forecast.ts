import { DEFAULT_ALIAS, functionKey, LATEST, type TriggerState } from '@openscf/contracts';
import type { CompactedTable } from '@openscf/bus';
import { Cron } from 'croner';

interface Timer {
  readonly functionKey: string;
  readonly pattern: Cron;
  /** The last answer: the same is asked again and again until the tick has come. */
  asked: number;
  next: number | undefined;
}

/** When timers call functions next. Times are in ms since the epoch. */
export class TimerForecast {
  private readonly timers = new Map<string, Timer>();
  private readonly byFunction = new Map<string, Set<Timer>>();

  /** Made before the table has read its first record. */
  constructor(triggers: Pick<CompactedTable<TriggerState>, 'onChange'>) {
    triggers.onChange((key, trigger) => this.change(key, trigger));
  }

  nextTick(key: string, now: number): number | undefined {
    let nearest: number | undefined;
    for (const timer of this.byFunction.get(key) ?? []) {
      const next = nextOf(timer, now);
      if (next !== undefined && (nearest === undefined || next < nearest)) nearest = next;
    }
    return nearest;
  }

  /** Functions that a timer calls before then. */
  ticking(now: number, withinMs: number): string[] {
    const keys: string[] = [];
    for (const key of this.byFunction.keys()) {
      const next = this.nextTick(key, now);
      if (next !== undefined && next - now <= withinMs) keys.push(key);
    }
    return keys;
  }

  private change(key: string, trigger: TriggerState | undefined): void {
    const old = this.timers.get(key);
    if (old !== undefined) {
      this.timers.delete(key);
      const timers = this.byFunction.get(old.functionKey);
      timers?.delete(old);
      if (timers?.size === 0) this.byFunction.delete(old.functionKey);
    }
    if (trigger?.type !== 'timer' || !trigger.enabled) return;
    const { namespace, functionName, qualifier } = trigger;
    // An alias that was moved elsewhere is not known here: then nothing is started ahead.
    const version = qualifier === DEFAULT_ALIAS ? LATEST : qualifier;
    const timer: Timer = {
      functionKey: functionKey({ namespace, functionName, version }),
      pattern: new Cron(trigger.cron, { timezone: 'UTC', mode: '7-part', domAndDow: false, paused: true }),
      asked: Number.NaN,
      next: undefined,
    };
    this.timers.set(key, timer);
    const timers = this.byFunction.get(timer.functionKey) ?? new Set();
    this.byFunction.set(timer.functionKey, timers.add(timer));
  }
}

function nextOf(timer: Timer, now: number): number | undefined {
  const isKnown = now >= timer.asked && (timer.next === undefined || now < timer.next);
  if (!isKnown) {
    timer.asked = now;
    timer.next = timer.pattern.nextRun(new Date(now))?.getTime();
  }
  return timer.next;
}
