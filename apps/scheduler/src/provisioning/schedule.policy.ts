import type { Provisioned } from '@openscf/contracts';
import { Cron } from 'croner';

/** Of one cron expression: the time that fired last and the one that comes next, good for any moment between the two. */
interface Span {
  readonly lastMs: number;
  readonly nextMs: number;
}

/**
 * What a provisioned version's schedule asks for at a moment. Derived from the expressions and the clock alone, so that a restart
 * changes nothing; the spans in it only save work.
 */
export class ProvisioningSchedule {
  private readonly spans = new Map<string, Span>();

  /** What the action that fired last asks for; before the first, and without any, what was asked for in the first place. */
  instances({ instances, schedule, setAt = 0 }: Provisioned, nowMs: number): number {
    let holds = instances;
    let since = -Infinity;
    for (const action of schedule) {
      const { lastMs } = this.span(action.cron, nowMs);
      // Of two at the same time the later in the list.
      if (lastMs < setAt || lastMs < since) continue;
      since = lastMs;
      holds = action.instances;
    }
    return holds;
  }

  private span(cron: string, nowMs: number): Span {
    const known = this.spans.get(cron);
    if (known !== undefined && known.lastMs <= nowMs && nowMs < known.nextMs) return known;
    // `second minute hour day month week year`, as triggers have it; day and week both given means that either matches.
    const pattern = new Cron(cron, { timezone: 'UTC', mode: '7-part', domAndDow: false, paused: true });
    const nextMs = pattern.nextRun(new Date(nowMs))?.getTime() ?? Infinity;
    // The one that is due in this very second has fired.
    const [last] = pattern.previousRuns(1, new Date(nowMs - (nowMs % 1_000) + 1_000));
    const span = { lastMs: last === undefined ? -Infinity : last.getTime(), nextMs };
    this.spans.set(cron, span);
    return span;
  }
}
