export interface BatchPumpOptions<M> {
  readonly maxBatch: number;
  /** How long the first item of a batch waits for company; 0 for not at all. */
  readonly maxWaitMs: number;
  /** Must not reject. */
  readonly handle: (batch: M[]) => Promise<void>;
}

/**
 * Collects items into batches and hands over one at a time. A batch goes when it is full or when its first item has waited long enough;
 * while one is handled the next one fills.
 */
export class BatchPump<M> {
  private buffer: { item: M; since: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private held = false;
  private looking = false;
  private open = true;

  constructor(private readonly options: BatchPumpOptions<M>) {}

  push(item: M): void {
    if (!this.open) return;
    this.buffer.push({ item, since: Date.now() });
    if (this.looking) return;
    this.looking = true;
    // After the caller has pushed all it has, so that records of one fetch go together.
    queueMicrotask(() => {
      this.looking = false;
      this.kick();
    });
  }

  /** No further batch until `release`. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.kick();
  }

  /** Forgets what waits and resolves when the batch that is being handled is done. */
  close(): Promise<void> {
    this.open = false;
    this.buffer = [];
    clearTimeout(this.timer);
    return this.running ?? Promise.resolve();
  }

  private kick(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const first = this.buffer[0];
    if (!this.open || this.held || this.running || !first) return;
    const waitMs = first.since + this.options.maxWaitMs - Date.now();
    if (this.buffer.length < this.options.maxBatch && waitMs > 0) {
      this.timer = setTimeout(() => this.kick(), waitMs);
      return;
    }
    const batch = this.buffer.splice(0, this.options.maxBatch).map(({ item }) => item);
    this.running = this.options.handle(batch).finally(() => {
      this.running = undefined;
      this.kick();
    });
  }
}
