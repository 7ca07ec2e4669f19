import type { BucketNotification } from '@openscf/contracts';
import type { ObjectInfo } from '@openscf/object-store';
import type { Logger } from '@openscf/telemetry';
import { reportOf } from './object-report.factory.js';

/** Listing a bucket ends after so many objects: a bucket of millions is no reason to hold up the others. */
const LISTED_LIMIT = 100_000;
const BATCH = 200;

/** What is used of the object store. */
export interface ObjectList {
  list(bucket: string, prefix?: string): AsyncIterable<ObjectInfo>;
}

export interface CatchUpOptions {
  /** Objects older than this do not count, in ms. */
  reachMs: number;
  now?: () => number;
}

/**
 * Finds the objects that were put after a trigger was made and before its bucket reported anything: the time that it takes to set the
 * notification, or longer when this service was away. An object that is reported as well has the same identity, so it fires once.
 */
export class ObjectCatchUp {
  private readonly now: () => number;

  constructor(
    private readonly triggersOf: (bucket: string) => readonly { since: number }[],
    private readonly store: ObjectList,
    private readonly handle: (reports: BucketNotification[]) => Promise<void>,
    private readonly logger: Logger,
    private readonly options: CatchUpOptions,
  ) {
    this.now = options.now ?? Date.now;
  }

  /** Resolves when the events of all objects found are stored. */
  async run(bucket: string): Promise<void> {
    const begins = this.triggersOf(bucket).map(({ since }) => since);
    const since = Math.max(Math.min(...begins), this.now() - this.options.reachMs);
    let found: BucketNotification[] = [];
    let listed = 0;
    for await (const object of this.store.list(bucket)) {
      if (++listed > LISTED_LIMIT) {
        this.logger.warn(
          { bucket, listed: LISTED_LIMIT },
          'bucket too large to look for objects put meanwhile',
        );
        break;
      }
      if (object.lastModifiedMs < since) continue;
      found.push(reportOf(bucket, object));
      if (found.length < BATCH) continue;
      await this.handle(found);
      found = [];
    }
    if (found.length > 0) await this.handle(found);
  }
}
