/** Work that waits in lanes: one at a time per lane, `concurrency` over all lanes, lanes in the order of their first item. */
export class KeyedPool {
  private readonly lanes = new Map<string, (() => Promise<void>)[]>();
  /** Lanes that have work and are not running. */
  private readonly ready = new Set<string>();
  private running = 0;
  private idle: (() => void)[] = [];
  private open = true;
  private unnamed = 0;

  constructor(private readonly concurrency: number) {}

  /** @param lane undefined: a lane of its own. @param work must not reject. */
  add(lane: string | undefined, work: () => Promise<void>): void {
    if (!this.open) return;
    // Names of records' keys get a prefix, so that none is taken for a lane without a name.
    const name = lane === undefined ? `#${(this.unnamed += 1)}` : `=${lane}`;
    const present = this.lanes.get(name);
    if (present) present.push(work);
    else {
      this.lanes.set(name, [work]);
      this.ready.add(name);
    }
    this.pump();
  }

  /** Takes nothing new, forgets what has not begun, and resolves when nothing runs. */
  close(): Promise<void> {
    this.open = false;
    this.ready.clear();
    this.lanes.clear();
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private pump(): void {
    for (const name of this.ready) {
      if (this.running >= this.concurrency) return;
      this.ready.delete(name);
      const work = this.lanes.get(name)?.shift();
      if (!work) continue;
      this.running += 1;
      void work().finally(() => this.finished(name));
    }
  }

  private finished(name: string): void {
    this.running -= 1;
    const left = this.lanes.get(name);
    if (left && left.length > 0) this.ready.add(name);
    else this.lanes.delete(name);
    if (this.open) this.pump();
    else if (this.running === 0) this.idle.splice(0).forEach((resolve) => resolve());
  }
}
