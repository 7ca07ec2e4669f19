import type { CosTrigger, TriggerState } from '@openscf/contracts';

/** The enabled triggers, by key and by bucket. */
export class BucketTriggers {
  private readonly byKey = new Map<string, CosTrigger>();
  private byBucket = new Map<string, CosTrigger[]>();

  /** Returns the buckets that this concerns: the one it had and the one it has. */
  set(key: string, trigger: TriggerState | undefined): Set<string> {
    const concerned = new Set<string>();
    const before = this.byKey.get(key);
    if (before) concerned.add(before.bucket);
    this.byKey.delete(key);
    if (trigger?.type === 'cos' && trigger.enabled) {
      this.byKey.set(key, trigger);
      concerned.add(trigger.bucket);
    }
    this.byBucket = Map.groupBy(this.byKey.values(), (each) => each.bucket);
    return concerned;
  }

  of(bucket: string): readonly CosTrigger[] {
    return this.byBucket.get(bucket) ?? [];
  }

  buckets(): Iterable<string> {
    return this.byBucket.keys();
  }
}
