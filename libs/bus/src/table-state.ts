import type { TableListener } from './bus.types.js';

interface Waiter {
  readonly revision: number | null;
  readonly resolve: (seen: boolean) => void;
}

function revisionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('revision' in value)) return undefined;
  return typeof value.revision === 'number' ? value.revision : undefined;
}

function isSatisfied(value: unknown, revision: number | null): boolean {
  if (revision === null) return value === undefined;
  if (value === undefined) return false;
  const present = revisionOf(value);
  return present === undefined || present >= revision;
}

/** The map behind a compacted table: who listens, who waits. No I/O. */
export class TableState<T> {
  private readonly rows = new Map<string, T>();
  private readonly listeners = new Set<TableListener<T>>();
  private readonly waiters = new Map<string, Set<Waiter>>();
  /** Keys seen since `beginReset`; undefined outside a reset. */
  private seen: Set<string> | undefined;

  get size(): number {
    return this.rows.size;
  }

  get(key: string): T | undefined {
    return this.rows.get(key);
  }

  values(): IterableIterator<T> {
    return this.rows.values();
  }

  entries(): IterableIterator<[string, T]> {
    return this.rows.entries();
  }

  /** @param value undefined removes the key. */
  apply(key: string, value: T | undefined): void {
    const previous = this.rows.get(key);
    if (value === undefined) this.rows.delete(key);
    else {
      this.rows.set(key, value);
      this.seen?.add(key);
    }
    if (previous === undefined && value === undefined) return;
    for (const listener of this.listeners) listener(key, value, previous);
    this.wake(key, value);
  }

  /** The topic starts anew: rows stay until `endReset`, so that readers do not see an empty table in between. */
  beginReset(): void {
    this.seen = new Set();
  }

  /** Everything was read again: what has not come back is gone. */
  endReset(): void {
    const { seen } = this;
    this.seen = undefined;
    if (!seen) return;
    for (const key of [...this.rows.keys()]) if (!seen.has(key)) this.apply(key, undefined);
  }

  onChange(listener: TableListener<T>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  waitFor(written: { key: string; revision: number | null }, timeoutMs: number): Promise<boolean> {
    const { key, revision } = written;
    if (isSatisfied(this.rows.get(key), revision)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        revision,
        resolve: (seen) => {
          clearTimeout(timer);
          this.forget(key, waiter);
          resolve(seen);
        },
      };
      const timer = setTimeout(() => waiter.resolve(false), timeoutMs);
      const present = this.waiters.get(key);
      if (present) present.add(waiter);
      else this.waiters.set(key, new Set([waiter]));
    });
  }

  private wake(key: string, value: T | undefined): void {
    for (const waiter of [...(this.waiters.get(key) ?? [])]) {
      if (isSatisfied(value, waiter.revision)) waiter.resolve(true);
    }
  }

  private forget(key: string, waiter: Waiter): void {
    const waiters = this.waiters.get(key);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.waiters.delete(key);
  }
}
