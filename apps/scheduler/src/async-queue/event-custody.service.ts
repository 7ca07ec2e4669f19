import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@openscf/telemetry';
import type { DeadLetterPublisher } from './dead-letter.publisher.js';
import {
  FIRST_EPOCH,
  type LeasedEvent,
  type ParkedEventRepository,
  type QueuedEvent,
} from './parked-event.repository.js';
import type { Decision } from './retry.policy.js';

/** Who would bring the event back if this process died now. */
type Keeper =
  | { readonly kind: 'kafka' }
  | { readonly kind: 'row'; readonly leaseEpoch: number }
  /** Another record of the same event was there first; its row is responsible. */
  | { readonly kind: 'other-row' };

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** An event whose attempt is under way, with who keeps it meanwhile. */
export class HeldEvent {
  keeper: Keeper;
  /** A change of keeper that is being written; settling waits for it. */
  moving: Promise<void> = Promise.resolve();
  settled = false;
  /** Writing the leased row has failed, yet it may be there. */
  mayHaveRow = false;
  deadLettered = false;

  constructor(
    readonly queued: QueuedEvent,
    leased?: LeasedEvent,
  ) {
    this.keeper = leased === undefined ? { kind: 'kafka' } : { kind: 'row', leaseEpoch: leased.leaseEpoch };
  }
}

/** What is used of the rows. */
export type EventRows = Pick<ParkedEventRepository, 'park' | 'parkLeased' | 'reschedule' | 'remove'>;

export interface Counters {
  accepted: number;
  done: number;
  dead: number;
  retried: number;
  parked: number;
  leasesLost: number;
}

/**
 * Where each event is kept, from the record in Kafka to its end.
 *
 *   kafka ──settle──► done │ dead-lettered │ row (waiting)
 *   kafka ──move────► row (leased) ──settle──► done │ dead-lettered │ row (waiting)
 *   row (waiting) ──claim──► row (leased)
 *
 * Invariants:
 * 1. An event has a keeper at every moment: its record's offset is committed only after it is done, dead-lettered (acks=all)
 *    or in a row.
 * 2. A row goes only after the event is done or dead-lettered, and only by the worker and epoch that leased it.
 * 3. What cannot be written now is written later: settling tries again until it succeeds or the process stops; then the keeper
 *    brings the event back.
 * 4. An attempt that lasts longer than a moment does not hold back a partition: it moves to a leased row, so that a restart
 *    repeats what was in flight and not what ended behind it.
 * 5. An event is never both in Kafka's uncommitted range and settled by a row of another epoch: a redelivered event
 *    that is already in a row is left to its row.
 */
export class EventCustody {
  readonly counters: Counters = { accepted: 0, done: 0, dead: 0, retried: 0, parked: 0, leasesLost: 0 };

  constructor(
    private readonly rows: EventRows,
    private readonly deadLetters: Pick<DeadLetterPublisher, 'publish'>,
    private readonly logger: Logger,
    private readonly stopped: AbortSignal,
  ) {}

  /** Keeps what the attempt has come to. @throws when the process stops first; the keeper still has the event then */
  async settle(held: HeldEvent, decision: Decision): Promise<void> {
    await held.moving;
    held.settled = true;
    const { requestId } = held.queued.event;
    await this.untilStored(requestId, () => this.store(held, decision));
    if (decision.kind === 'done') this.counters.done += 1;
    if (decision.kind === 'dead') {
      this.counters.dead += 1;
      this.logger.warn(
        { requestId, functionKey: held.queued.functionKey, reason: decision.reason },
        'event dead-lettered',
      );
    }
    if (decision.kind === 'retry') this.counters.retried += 1;
  }

  /** Moves an event whose attempt goes on from Kafka to a leased row. False when that cannot be written now, or is not needed. */
  async move(held: HeldEvent): Promise<boolean> {
    if (held.settled || held.keeper.kind !== 'kafka') return false;
    const moved = this.rows.parkLeased(held.queued).then((inserted) => {
      held.keeper = inserted ? { kind: 'row', leaseEpoch: FIRST_EPOCH } : { kind: 'other-row' };
    });
    held.moving = moved.catch(() => {
      held.mayHaveRow = true;
    });
    try {
      await moved;
      return true;
    } catch (error) {
      this.logger.debug({ error, requestId: held.queued.event.requestId }, 'event stays in Kafka');
      return false;
    }
  }

  private async store(held: HeldEvent, decision: Decision): Promise<void> {
    const { queued } = held;
    if (held.keeper.kind === 'other-row') return;
    if (decision.kind === 'dead' && !held.deadLettered) {
      await this.deadLetters.publish(queued.event, decision.reason, decision.attempts);
      held.deadLettered = true;
    }
    if (held.keeper.kind === 'kafka' && held.mayHaveRow) {
      if (decision.kind !== 'retry') return this.forgetLater(queued.event.requestId);
      if (!(await this.rows.parkLeased(queued))) return;
      held.keeper = { kind: 'row', leaseEpoch: FIRST_EPOCH };
    }
    if (held.keeper.kind === 'row') await this.storeRow(held, held.keeper.leaseEpoch, decision);
    else if (decision.kind === 'retry')
      await this.rows.park({ ...queued, progress: decision.progress }, decision.at);
  }

  /** The event has ended and its record says so; a row that may have been left behind goes when PostgreSQL is back. */
  private forgetLater(requestId: string): void {
    this.untilStored(requestId, async () => void (await this.rows.remove(requestId, FIRST_EPOCH))).catch(
      () => undefined,
    );
  }

  private async storeRow(held: HeldEvent, leaseEpoch: number, decision: Decision): Promise<void> {
    const { requestId } = held.queued.event;
    const kept =
      decision.kind === 'retry'
        ? await this.rows.reschedule(requestId, leaseEpoch, decision.progress, decision.at)
        : await this.rows.remove(requestId, leaseEpoch);
    if (kept) return;
    this.counters.leasesLost += 1;
    this.logger.warn({ requestId, leaseEpoch }, 'event was taken over by another worker');
  }

  private async untilStored(requestId: string, store: () => Promise<void>): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
      this.stopped.throwIfAborted();
      try {
        return await store();
      } catch (error) {
        if (waitMs === FIRST_WAIT_MS)
          this.logger.warn({ error, requestId }, 'outcome of an event cannot be kept yet');
      }
      await delay(waitMs, undefined, { signal: this.stopped });
    }
  }
}
