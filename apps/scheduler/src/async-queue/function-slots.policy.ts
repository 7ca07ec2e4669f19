/** How an attempt left its slot; `throttled` says that the invokers have no room for more of this function. */
export type SlotEnd = 'ran' | 'throttled' | 'refused';

interface FunctionSlot {
  inFlight: number;
  /** How many at once the invokers seem to have room for. */
  window: number;
  throttledAt: number;
}

export interface FunctionSlotsOptions {
  readonly total: number;
  readonly perFunction: number;
  readonly now?: () => number;
}

const SHRINK = 0.75;
/** A function that was throttled this long ago may start with a full window again. */
const FORGET_MS = 60_000;

/**
 * Attempts in flight, bounded in total and per function, so that no function takes what others need. The bound of a
 * function follows what the invokers take: it shrinks with each throttled attempt and grows by one with each window that ran.
 */
export class FunctionSlots {
  private readonly functions = new Map<string, FunctionSlot>();
  private readonly listeners = new Set<() => void>();
  private inFlightTotal = 0;
  private readonly now: () => number;

  /** Functions with events in rows that wait for a slot: new events go behind them. */
  readonly backlog = new Set<string>();

  constructor(private readonly options: FunctionSlotsOptions) {
    this.now = options.now ?? Date.now;
  }

  get perFunction(): number {
    return this.options.perFunction;
  }

  get inFlight(): number {
    return this.inFlightTotal;
  }

  get free(): number {
    return Math.max(0, this.options.total - this.inFlightTotal);
  }

  /** Takes a slot, or tells that the function or the process has none. */
  tryAcquire(functionKey: string): boolean {
    if (this.free === 0 || this.freeOf(functionKey) === 0) return false;
    this.acquire(functionKey);
    return true;
  }

  /** Takes a slot that the caller knows to be free. */
  acquire(functionKey: string): void {
    this.slotOf(functionKey).inFlight += 1;
    this.inFlightTotal += 1;
  }

  freeOf(functionKey: string): number {
    const slot = this.functions.get(functionKey);
    return slot === undefined
      ? this.options.perFunction
      : Math.max(0, Math.floor(slot.window) - slot.inFlight);
  }

  /** Functions whose free slots are not the usual number. */
  busy(): { functionKey: string; free: number }[] {
    return [...this.functions.keys()].map((functionKey) => ({ functionKey, free: this.freeOf(functionKey) }));
  }

  release(functionKey: string, end: SlotEnd): void {
    const slot = this.slotOf(functionKey);
    if (end === 'throttled') {
      slot.window = Math.max(1, Math.min(slot.window, slot.inFlight) * SHRINK);
      slot.throttledAt = this.now();
    } else if (end === 'ran') {
      slot.window = Math.min(this.options.perFunction, slot.window + 1 / slot.window);
    }
    slot.inFlight -= 1;
    this.inFlightTotal -= 1;
    if (slot.inFlight === 0 && this.now() - slot.throttledAt > FORGET_MS) this.functions.delete(functionKey);
    for (const listener of this.listeners) listener();
  }

  /** Calls after each release. Returns how to stop listening. */
  onRelease(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private slotOf(functionKey: string): FunctionSlot {
    const known = this.functions.get(functionKey);
    if (known !== undefined) return known;
    const slot = { inFlight: 0, window: this.options.perFunction, throttledAt: -Infinity };
    this.functions.set(functionKey, slot);
    return slot;
  }
}
