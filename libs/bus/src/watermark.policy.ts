/**
 * Which offsets of one partition have been taken and settled, and how far the partition may be committed.
 *
 * Invariants:
 * 1. An offset is taken at most once: what is delivered again (after a rebalance) is refused.
 * 2. Everything below `position` is settled or was never taken; the offset at `position`, if taken, is not settled.
 * 3. `position` never moves back.
 */
export class Watermark {
  /** Taken offsets in ascending order; those before `head` are settled and forgotten. */
  private taken: number[] = [];
  private head = 0;
  private readonly settledAhead = new Set<number>();

  /** @param next the first offset that will be taken. */
  constructor(private next: number) {}

  /** The lowest offset that can still be taken. */
  get end(): number {
    return this.next;
  }

  /** The offset to commit: where a reader has to go on. */
  get position(): number {
    return this.taken[this.head] ?? this.next;
  }

  /** Offsets from `position` on that were taken, settled or not. */
  get span(): number {
    return this.taken.length - this.head;
  }

  /** @returns false when the offset was taken before (invariant 1). */
  take(offset: number): boolean {
    if (offset < this.next) return false;
    this.taken.push(offset);
    this.next = offset + 1;
    return true;
  }

  settle(offset: number): void {
    if (offset < this.position || offset >= this.next) return;
    this.settledAhead.add(offset);
    for (let first = this.taken[this.head]; first !== undefined; first = this.taken[this.head]) {
      if (!this.settledAhead.delete(first)) break;
      this.head += 1;
    }
    if (this.head > 1_024 && this.head * 2 > this.taken.length) {
      this.taken = this.taken.slice(this.head);
      this.head = 0;
    }
  }
}
