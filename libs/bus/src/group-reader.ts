import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import { ConsumerSupervisor, type Joined } from './consumer-supervisor.js';
import type { KafkaFactory } from './kafka.factory.js';
import { Watermark } from './watermark.policy.js';

/** One partition while it is ours. */
export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly watermark: Watermark;
  /** Aborted when the partition is given up: what is in flight goes on, but its outcome changes nothing here. */
  readonly released: AbortController;
}

export interface GroupReaderOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** How long settled offsets wait for company before they are committed. */
  readonly commitDelayMs: number;
  /** Where to begin a partition that the group has never committed. */
  readonly startOffset: (topic: string, partition: number) => Promise<number>;
  /** Takes one record that was not taken before. It must not block; back-pressure goes through `pause`. */
  readonly onRecord: (owned: OwnedPartition, record: KafkaMessage) => void;
  /** Called once after the records of a fetch. */
  readonly onFetched?: (owned: OwnedPartition) => void;
  readonly onReleased?: (owned: OwnedPartition) => void;
}

interface Slot {
  owned: OwnedPartition;
  /** Last offset that the group is known to have for us; -1 when it has none. */
  committed: number;
  /** Last offset that was sent to be committed: the group may have it although no answer came. */
  sent: number;
  /** False until it is certain where the group is (invariant 3); nothing is committed before. */
  certain: boolean;
  /** Resolves when `owned` may be used. */
  ready: Promise<void>;
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * A member of a consumer group that commits behind the work: a record is taken, handled elsewhere, settled, and its offset committed
 * later, never past one that is not settled.
 *
 * Invariants:
 * 1. Nothing is committed that `settle` was not called for, except the start of a partition that never had a commit.
 * 2. While a partition stays ours, no record of it is taken twice, whatever the group goes through.
 * 3. When another member may have had the partition (the member id changed and the group's offset is not one that we
 *    committed or sent), everything known of it is dropped and reading goes on at the group's offset.
 */
export class GroupReader {
  private readonly slots = new Map<string, Slot>();
  private readonly supervisor: ConsumerSupervisor;
  private memberId = '';
  private commitTimer: NodeJS.Timeout | undefined;
  private committing: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly factory: KafkaFactory,
    private readonly admin: BusAdmin,
    private readonly options: GroupReaderOptions,
  ) {
    const { groupId, topics } = options;
    this.supervisor = new ConsumerSupervisor(factory, {
      groupId: () => groupId,
      topics,
      onJoined: (joined) => this.assign(joined),
      onRebalancing: () => void this.commit(),
      onBatch: (payload) => this.receive(payload),
      topicsExist: () => admin.topicsExist(topics),
    });
  }

  get connected(): boolean {
    return this.supervisor.connected;
  }

  pause(owned: OwnedPartition): void {
    if (!owned.released.signal.aborted) this.supervisor.pause(owned.topic, owned.partition);
  }

  resume(owned: OwnedPartition): void {
    if (!owned.released.signal.aborted) this.supervisor.resume(owned.topic, owned.partition);
  }

  /** Lifts a pause that was made for an earlier owner of the partition. */
  resumeAny(topic: string, partition: number): void {
    this.supervisor.resume(topic, partition);
  }

  /** The record's outcome is kept: its offset may be committed. */
  settle(owned: OwnedPartition, offset: string): void {
    if (owned.released.signal.aborted) return;
    owned.watermark.settle(Number(offset));
    this.commitSoon();
  }

  /** Commits what is settled and leaves the group. Records that are still in flight will be delivered again. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.commitTimer);
    await this.committing;
    await this.commit();
    for (const slot of this.slots.values()) this.release(slot);
    await this.supervisor.stop();
  }

  private assign(joined: Joined): void {
    const sameMember = joined.memberId === this.memberId;
    this.memberId = joined.memberId;
    const given = new Set(joined.partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const [key, slot] of this.slots) {
      if (!given.has(key)) this.release(slot);
    }
    const uncertain = joined.partitions.filter(
      ({ topic, partition }) => !sameMember || !this.slots.has(keyOf(topic, partition)),
    );
    if (uncertain.length === 0) return;
    const begun = this.begin(uncertain);
    begun.catch((error: unknown) => this.supervisor.restart(error));
    for (const { topic, partition } of uncertain) {
      const slot = this.slots.get(keyOf(topic, partition));
      if (slot) Object.assign(slot, { ready: begun, certain: false });
      else
        this.slots.set(keyOf(topic, partition), {
          ...this.fresh(topic, partition, 0, -1),
          certain: false,
          ready: begun,
        });
    }
  }

  /** Finds where each partition goes on (invariant 3), and makes a first start last by committing it. */
  private async begin(partitions: Joined['partitions']): Promise<void> {
    const committed = await this.admin.committed(this.options.groupId, this.options.topics);
    for (const { topic, partition } of partitions) {
      const key = keyOf(topic, partition);
      const slot = this.slots.get(key);
      if (!slot) continue;
      const offset = committed.get(key) ?? -1;
      if (offset >= 0 && (offset === slot.committed || offset === slot.sent)) {
        Object.assign(slot, { committed: offset, certain: true });
        continue;
      }
      const start = offset >= 0 ? offset : await this.options.startOffset(topic, partition);
      if (this.slots.get(key) !== slot) continue;
      this.renew(slot, start, offset);
      if (offset < 0) this.supervisor.seek(topic, partition, start);
    }
    this.commitSoon(0);
  }

  private async receive({ batch, isStale }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const slot = this.slots.get(keyOf(topic, partition));
    if (!slot) return;
    await slot.ready;
    if (isStale() || this.stopped) return;
    const first = Number(batch.firstOffset() ?? 0);
    if (first < slot.owned.watermark.end && Number(batch.highWatermark) < slot.owned.watermark.end) {
      this.factory.logger.warn(
        { topic, partition, offset: first },
        'topic was made again, reading it from its beginning',
      );
      this.renew(slot, first, -1);
    }
    const { owned } = slot;
    for (const record of batch.messages) {
      if (owned.watermark.take(Number(record.offset))) this.options.onRecord(owned, record);
    }
    this.options.onFetched?.(owned);
  }

  private fresh(
    topic: string,
    partition: number,
    start: number,
    committed: number,
  ): Omit<Slot, 'certain' | 'ready'> {
    const owned = { topic, partition, watermark: new Watermark(start), released: new AbortController() };
    return { owned, committed, sent: committed };
  }

  private renew(slot: Slot, start: number, committed: number): void {
    const { topic, partition } = slot.owned;
    slot.owned.released.abort();
    this.options.onReleased?.(slot.owned);
    Object.assign(slot, this.fresh(topic, partition, start, committed), { certain: true });
  }

  private release(slot: Slot): void {
    const { topic, partition } = slot.owned;
    this.slots.delete(keyOf(topic, partition));
    slot.owned.released.abort();
    this.options.onReleased?.(slot.owned);
  }

  private commitSoon(delayMs = this.options.commitDelayMs): void {
    if (this.commitTimer || this.stopped) return;
    this.commitTimer = setTimeout(() => {
      this.commitTimer = undefined;
      void this.commit();
    }, delayMs);
  }

  /** One commit at a time; what fails stays uncommitted and is tried again. */
  private async commit(): Promise<void> {
    if (this.committing) {
      await this.committing;
      if (!this.stopped) this.commitSoon();
      return;
    }
    this.committing = this.commitSettled();
    await this.committing;
    this.committing = undefined;
  }

  private async commitSettled(): Promise<void> {
    const due = [...this.slots.values()]
      .filter((slot) => slot.certain && slot.owned.watermark.position !== slot.committed)
      .map((slot) => ({ slot, owned: slot.owned, offset: slot.owned.watermark.position }));
    if (due.length === 0 || !this.supervisor.connected) return;
    for (const { slot, offset } of due) slot.sent = offset;
    try {
      await this.supervisor.commit(
        due.map(({ owned, offset }) => ({ topic: owned.topic, partition: owned.partition, offset })),
      );
      for (const { slot, owned, offset } of due) if (slot.owned === owned) slot.committed = offset;
    } catch (error) {
      this.factory.logger.debug(
        { groupId: this.options.groupId, error },
        'offsets not committed, trying again',
      );
      this.commitSoon(1_000);
    }
  }
}
