/** How long idle instances are worth their memory. Times are in ms of the monotonic clock. */
export interface KeepAlive {
  /** A call for the function has come. */
  called(functionKey: string, now: number): void;
  /** An instance of it has become idle; `coldMs`: what its start took. */
  idle(functionKey: string, coldMs: number, now: number): void;
  /** An idle instance of it had to go, for want of memory or after its time. */
  gone(functionKey: string): void;
  /** What it is worth now to keep an idle instance; the least valuable goes first. */
  value(functionKey: string, memoryMb: number, now: number): number;
  /** How long an instance that became idle at `idleSince` stays where nothing needs its memory. */
  keepMs(functionKey: string, idleSince: number): number;
  /** Functions of which an instance is to be started if none is there: known calls first, then what is worth most. */
  due(now: number): readonly StartAhead[];
}

export interface StartAhead {
  readonly functionKey: string;
  /** Is its next call known, not only likely? */
  readonly isKnown: boolean;
}

/** The same time for all, and the least recently used goes first. */
export class FixedKeepAlive implements KeepAlive {
  constructor(private readonly ms: number) {}

  called(): void {
    // It learns nothing.
  }
  idle(): void {
    // Nor from this.
  }
  gone(): void {
    // Nor from this.
  }
  value(): number {
    return 0;
  }
  keepMs(): number {
    return this.ms;
  }
  due(): readonly StartAhead[] {
    return [];
  }
}
