import type { CosTrigger, TriggerState } from '@openscf/contracts';

export interface BucketTrigger {
  trigger: CosTrigger;
  /** From when on changes count: when it was made, or when this process saw it enabled. */
  since: number;
}

/** The enabled triggers, by key and by bucket. */
export class BucketTriggers {
  private readonly byKey = new Map<string, BucketTrigger>();
  private byBucket = new Map<string, BucketTrigger[]>();
  /** Triggers that this process has seen disabled. */
  private readonly disabled = new Set<string>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Returns the buckets that this concerns: the one it had and the one it has. */
  set(key: string, trigger: TriggerState | undefined): Set<string> {
    const concerned = new Set<string>();
    const before = this.byKey.get(key);
    if (before) concerned.add(before.trigger.bucket);
    this.byKey.delete(key);
    if (trigger?.type === 'cos' && trigger.enabled) {
      const since = this.disabled.delete(key) ? this.now() : (before?.since ?? trigger.createdAt);
      this.byKey.set(key, { trigger, since });
      concerned.add(trigger.bucket);
    } else if (trigger) {
      this.disabled.add(key);
    } else {
      this.disabled.delete(key);
    }
    this.byBucket = Map.groupBy(this.byKey.values(), (each) => each.trigger.bucket);
    return concerned;
  }

  of(bucket: string): readonly BucketTrigger[] {
    return this.byBucket.get(bucket) ?? [];
  }

  buckets(): Iterable<string> {
    return this.byBucket.keys();
  }
}
