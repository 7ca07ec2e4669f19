import type { CosTrigger, TriggerState } from '@openscf/contracts';

export interface BucketTrigger {
  trigger: CosTrigger;
  /** From when on changes count, in ms since the epoch: when it was made or enabled again. */
  since: number;
}

/** The enabled triggers, by key and by bucket. */
export class BucketTriggers {
  private readonly byKey = new Map<string, BucketTrigger>();
  private byBucket = new Map<string, BucketTrigger[]>();

  /** Returns the buckets that this concerns: the one it had and the one it has. */
  set(key: string, trigger: TriggerState | undefined): Set<string> {
    const concerned = new Set<string>();
    const before = this.byKey.get(key);
    if (before) concerned.add(before.trigger.bucket);
    this.byKey.delete(key);
    if (trigger?.type === 'cos' && trigger.enabled) {
      this.byKey.set(key, { trigger, since: trigger.enabledAt ?? trigger.createdAt });
      concerned.add(trigger.bucket);
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
