import { ObjectNotFoundError, type NotificationRule } from '@openscf/object-store';
import type { Logger } from '@openscf/telemetry';
import { bucketRules } from './bucket-rules.policy.js';

/** What is used of the object store. */
export interface BucketNotifications {
  getNotifications(bucket: string): Promise<NotificationRule[]>;
  setNotifications(bucket: string, rules: readonly NotificationRule[]): Promise<void>;
}

/** Remembers which buckets carry our rules; see NotifiedBucketRepository. */
export interface NotifiedBuckets {
  all(): Promise<{ bucket: string; caughtUp: boolean }[]>;
  set(bucket: string, caughtUp: boolean): Promise<void>;
  remove(bucket: string): Promise<void>;
}

export interface BucketNotificationOptions {
  /** Wait before a bucket that could not be set is tried again. */
  retryMs: number;
  /** How often every bucket is looked at again: somebody may have made it anew, or have changed its rules. */
  auditMs: number;
}

/**
 * Sees to it that exactly the buckets with a trigger report their changes. It works towards what is wanted, one bucket after the
 * other, and tries again until the store has taken it.
 */
export class BucketNotificationService {
  /** Buckets to look at. */
  private readonly pending = new Set<string>();
  /** Buckets known to carry our rules, or to have carried them, and whether what was put before has been looked for. */
  private readonly known = new Map<string, { caughtUp: boolean }>();
  private working: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private audit: NodeJS.Timeout | undefined;
  private stopped = false;
  private recalled = false;

  constructor(
    private readonly isWanted: (bucket: string) => boolean,
    private readonly store: BucketNotifications,
    private readonly notified: NotifiedBuckets,
    private readonly catchUp: (bucket: string) => Promise<void>,
    private readonly logger: Logger,
    private readonly options: BucketNotificationOptions,
  ) {}

  /** @param buckets those with a trigger now */
  begin(buckets: Iterable<string>): void {
    for (const bucket of buckets) this.pending.add(bucket);
    this.work();
    this.audit = setInterval(() => {
      for (const bucket of this.known.keys()) this.pending.add(bucket);
      this.work();
    }, this.options.auditMs);
  }

  /** A trigger of the bucket came, changed or went. */
  look(bucket: string): void {
    this.pending.add(bucket);
    this.work();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.audit);
    clearTimeout(this.retry);
    await this.working;
  }

  private work(): void {
    if (this.stopped || this.working) return;
    clearTimeout(this.retry);
    this.working = this.settleAll().finally(() => {
      this.working = undefined;
      if ((this.pending.size > 0 || !this.recalled) && !this.stopped) {
        this.retry = setTimeout(() => this.work(), this.options.retryMs);
      }
    });
  }

  private async settleAll(): Promise<void> {
    await this.recall();
    const failed: string[] = [];
    while (this.pending.size > 0 && !this.stopped) {
      for (const bucket of [...this.pending]) {
        this.pending.delete(bucket);
        if (!(await this.settle(bucket))) failed.push(bucket);
      }
    }
    for (const bucket of failed) this.pending.add(bucket);
  }

  /** Buckets that lost their last trigger while this service was away. */
  private async recall(): Promise<void> {
    if (this.recalled) return;
    try {
      for (const { bucket, caughtUp } of await this.notified.all()) {
        if (!this.known.has(bucket)) this.known.set(bucket, { caughtUp });
        this.pending.add(bucket);
      }
      this.recalled = true;
    } catch (error) {
      this.logger.warn({ error }, 'buckets with notifications cannot be recalled; trying again');
    }
  }

  /** False when the bucket has to be tried again. */
  private async settle(bucket: string): Promise<boolean> {
    const wanted = this.isWanted(bucket);
    try {
      const rules = bucketRules(await this.store.getNotifications(bucket), wanted);
      // Remembered first: a process that dies after this looks at the bucket again.
      if (wanted && (rules || !this.known.has(bucket))) await this.remember(bucket, false);
      if (rules) {
        await this.store.setNotifications(bucket, rules);
        this.logger.info({ bucket, notifies: wanted }, 'notification of a bucket set');
      }
      if (!wanted) await this.forget(bucket);
      else if (!this.known.get(bucket)?.caughtUp) {
        await this.catchUp(bucket);
        await this.remember(bucket, true);
      }
      return true;
    } catch (error) {
      if (error instanceof ObjectNotFoundError && !wanted)
        return this.forget(bucket).then(
          () => true,
          () => false,
        );
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn({ bucket, reason }, 'notification of a bucket cannot be set; trying again');
      return false;
    }
  }

  private async remember(bucket: string, caughtUp: boolean): Promise<void> {
    await this.notified.set(bucket, caughtUp);
    this.known.set(bucket, { caughtUp });
  }

  private async forget(bucket: string): Promise<void> {
    await this.notified.remove(bucket);
    this.known.delete(bucket);
  }
}
