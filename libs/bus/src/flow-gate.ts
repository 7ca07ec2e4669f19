import type { GroupReader, OwnedPartition } from './group-reader.js';

export interface FlowLimits {
  /** Records of one partition in memory (its span) at which reading pauses; it goes on at half. */
  readonly records: number;
  /** The same in bytes. */
  readonly bytes: number;
}

/** Bounds what is in memory of each partition: pauses its fetching above the limits, resumes it at half of them. */
export class FlowGate {
  private readonly bytes = new Map<OwnedPartition, number>();
  private readonly paused = new Set<OwnedPartition>();

  constructor(
    private readonly reader: () => GroupReader,
    private readonly limits: FlowLimits,
  ) {}

  taken(owned: OwnedPartition, bytes: number): void {
    this.bytes.set(owned, (this.bytes.get(owned) ?? 0) + bytes);
  }

  /** Call after the records of a fetch were taken. */
  fetched(owned: OwnedPartition): void {
    if (this.paused.has(owned) || !this.isAbove(owned, 1)) return;
    this.paused.add(owned);
    this.reader().pause(owned);
  }

  /** Call after a record was settled. */
  settled(owned: OwnedPartition, bytes: number): void {
    if (owned.released.signal.aborted) return;
    this.bytes.set(owned, Math.max(0, (this.bytes.get(owned) ?? 0) - bytes));
    if (!this.paused.has(owned) || this.isAbove(owned, 0.5)) return;
    this.paused.delete(owned);
    this.reader().resume(owned);
  }

  released(owned: OwnedPartition): void {
    this.bytes.delete(owned);
    // The partition itself may be ours again at once, with a new owner object: it must not stay paused.
    if (this.paused.delete(owned)) this.reader().resumeAny(owned.topic, owned.partition);
  }

  private isAbove(owned: OwnedPartition, share: number): boolean {
    const { records, bytes } = this.limits;
    return owned.watermark.span > records * share || (this.bytes.get(owned) ?? 0) > bytes * share;
  }
}
