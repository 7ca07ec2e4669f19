import { topics, type AsyncEvent, type BucketNotification, type ObjectChange } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { EventBus } from '../../publishing/event-bus.types.js';
import { requestIdFrom } from '../../publishing/request-id.policy.js';
import type { BucketTrigger } from './bucket-triggers.js';
import { identityOf, matches } from './matching.policy.js';
import { objectEventOf, type ObjectEventContext } from './object-event.policy.js';

/** Identities kept in memory. The second report of a change usually comes within seconds. */
const RECENT_LIMIT = 20_000;

/** Remembers fired changes; see SeenEventRepository. */
export interface SeenEvents {
  once(identities: readonly string[], fire: (fresh: ReadonlySet<string>) => Promise<void>): Promise<void>;
}

/** The enabled triggers of a bucket. */
export type TriggersOfBucket = (bucket: string) => readonly BucketTrigger[];

export interface HandleOptions {
  /** The changes were found, not reported: those from before a trigger began do not start it. */
  found?: boolean;
}

/**
 * Turns reports of changed objects into events. Every change is reported twice, at once and durably; the first one that gets
 * here fires. Resolves when the events are stored, so that the reports may be committed.
 */
export class ObjectChangeHandler {
  private readonly recent = new Set<string>();
  /** One batch at a time: two reports of a change never pass each other. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly triggersOf: TriggersOfBucket,
    private readonly seen: SeenEvents,
    private readonly bus: EventBus,
    private readonly logger: Logger,
    private readonly context: ObjectEventContext,
    private readonly now: () => number = Date.now,
  ) {}

  handle(reports: readonly BucketNotification[], options: HandleOptions = {}): Promise<void> {
    const done = this.turn.then(() => this.handleBatch(reports, options.found ?? false));
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async handleBatch(reports: readonly BucketNotification[], found: boolean): Promise<void> {
    const events = new Map<string, AsyncEvent[]>();
    for (const change of reports.flatMap((report) => report.Records)) {
      const identity = requestIdFrom('object-change', identityOf(change));
      if (this.recent.has(identity)) continue;
      const fired = this.eventsOf(change, found);
      if (fired.length > 0) events.set(identity, fired);
    }
    if (events.size === 0) return;
    let publishing: Promise<void> | undefined;
    try {
      await this.seen.once([...events.keys()], async (fresh) => {
        publishing = this.publish([...fresh].flatMap((identity) => events.get(identity) ?? []));
        await publishing;
      });
    } catch (error) {
      if (publishing === undefined) {
        this.logger.warn({ error }, 'object events cannot be remembered; going on from memory');
        publishing = this.publish([...events.values()].flat());
      }
      // Events that could not be stored: the reports stay uncommitted and come again.
      await publishing;
    }
    for (const identity of events.keys()) this.remember(identity);
  }

  private eventsOf(change: ObjectChange, found: boolean): AsyncEvent[] {
    return this.triggersOf(change.s3.bucket.name)
      .filter(
        ({ trigger, since }) => matches(trigger, change) && !(found && Date.parse(change.eventTime) < since),
      )
      .map(({ trigger }) => objectEventOf(trigger, change, this.context, this.now()));
  }

  private publish(events: AsyncEvent[]): Promise<void> {
    return this.bus.publish(
      topics.events,
      events.map((value) => ({ key: value.requestId, value })),
    );
  }

  private remember(identity: string): void {
    this.recent.add(identity);
    if (this.recent.size <= RECENT_LIMIT) return;
    for (const oldest of this.recent) {
      this.recent.delete(oldest);
      return;
    }
  }
}
