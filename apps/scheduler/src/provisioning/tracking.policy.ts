import type { Provisioned } from '@openscf/contracts';

/** Fewer instances are provisioned only when the smaller number has been enough for so long. Ours: the vendor names no time. */
export const COOL_DOWN_MS = 60_000;

interface Level {
  instances: number;
  /** The most that was needed since `at`, and when it was last as many as there are. */
  neededSince: number;
  at: number;
}

export interface TrackingInput {
  readonly tracking: NonNullable<Provisioned['tracking']>;
  /** What schedule and configuration ask for: where it begins. */
  readonly instances: number;
  /** How many are provisioned now, by what was granted; 0 when none are. */
  readonly current: number;
  readonly busy: number;
  readonly now: number;
}

/**
 * Keeps the share of busy provisioned instances near the target: more at once, fewer after a cool-down. A process that starts goes on
 * from what is granted, and waits one cool-down before it takes anything away.
 */
export class UtilizationTracking {
  private readonly levels = new Map<string, Level>();

  instances(key: string, { tracking, instances, current, busy, now }: TrackingInput): number {
    const { target, minInstances, maxInstances } = tracking;
    const bounded = (count: number) => Math.min(maxInstances, Math.max(minInstances, count));
    const needed = bounded(Math.ceil(busy / target));
    let level = this.levels.get(key);
    if (level === undefined) {
      level = { instances: bounded(current > 0 ? current : instances), neededSince: 0, at: now };
      this.levels.set(key, level);
    }
    if (needed >= level.instances) Object.assign(level, { instances: needed, neededSince: 0, at: now });
    else if (now - level.at < COOL_DOWN_MS) level.neededSince = Math.max(level.neededSince, needed);
    else {
      const next = Math.max(level.neededSince, needed);
      Object.assign(level, { instances: next, neededSince: 0, at: now });
    }
    level.instances = bounded(level.instances);
    return level.instances;
  }

  /** Forgets what is tracked no more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.levels.keys()) if (!keys.has(key)) this.levels.delete(key);
  }
}
