/**
 * The host's memory for instances. What is destroyed holds its memory until it is gone.
 *
 * `usedMb` counts instances that live, are to be booted or are being destroyed.
 */
export class MemoryLedger {
  /** Of instances that live or are to be booted. */
  private heldMb = 0;
  /** Of instances that are being destroyed. */
  private dyingMb = 0;
  private readonly dying = new Set<Promise<void>>();

  constructor(readonly memoryMb: number) {}

  get usedMb(): number {
    return this.heldMb + this.dyingMb;
  }

  /** How much is missing for `neededMb` more, when all that is being destroyed is gone. */
  missingFor(neededMb: number, spareMb: number): number {
    return this.heldMb + spareMb + neededMb - this.memoryMb;
  }

  hold(memoryMb: number): void {
    this.heldMb += memoryMb;
  }

  giveBack(memoryMb: number): void {
    this.heldMb -= memoryMb;
  }

  /** Its memory is free when `destroyed` resolves. */
  die(memoryMb: number, destroyed: Promise<void>): void {
    this.heldMb -= memoryMb;
    this.dyingMb += memoryMb;
    const gone = destroyed.then(() => {
      this.dyingMb -= memoryMb;
      this.dying.delete(gone);
    });
    this.dying.add(gone);
  }

  /** Resolves when what lives and is being destroyed fits, or nothing is being destroyed any more. */
  async room(): Promise<void> {
    while (this.usedMb > this.memoryMb && this.dying.size > 0) await Promise.race(this.dying);
  }

  async allGone(): Promise<void> {
    await Promise.all(this.dying);
  }
}
