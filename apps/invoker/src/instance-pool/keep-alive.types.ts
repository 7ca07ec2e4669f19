/** How long idle instances are worth their memory. Times are in ms of the monotonic clock. */
export interface KeepAlive {
  /** A call for the function has come. */
  called(functionKey: string, now: number): void;
  /** What it is worth to keep an instance that becomes idle now; the least valuable goes first. */
  value(
    functionKey: string,
    instance: { readonly memoryMb: number; readonly coldMs: number },
    now: number,
  ): number;
  /** An instance of this value went to make room. */
  evicted(value: number): void;
  /** How long an instance that became idle at `idleSince` stays where nothing needs its memory. */
  keepMs(functionKey: string, idleSince: number): number;
}

/** The same time for all, and the least recently used goes first. */
export class FixedKeepAlive implements KeepAlive {
  constructor(private readonly ms: number) {}

  called(): void {
    // It learns nothing.
  }
  value(_functionKey: string, _instance: object, now: number): number {
    return now;
  }
  evicted(): void {
    // Nor from this.
  }
  keepMs(): number {
    return this.ms;
  }
}
