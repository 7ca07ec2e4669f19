import type { InstanceProcess } from '../instance/instance-process.js';
import { warmKeyText, type WarmKey } from '../instance/warm-key.policy.js';
import type { SpareMemory } from './pool.types.js';
import { WarmDemand } from './warm-demand.policy.js';

export interface WarmPoolOptions<P> {
  /** The most memory for all of it; 0: no pool. */
  readonly maxMb: number;
  /** Memory of the host that nothing else holds. */
  readonly freeMb: () => number;
  /** Is nobody waiting for a start now? */
  readonly isQuiet: () => boolean;
  /** A process whose bootstrap has said hello; rejects when there is none to be had. */
  readonly start: (key: WarmKey) => Promise<P>;
  readonly log: (fields: object, message: string) => void;
}

export type WarmProcess = Pick<InstanceProcess, 'id' | 'ended' | 'destroy' | 'isReachable'>;

/** What a started process without a function holds, most of it shared with others of its kind. */
export const WARM_PROCESS_MB = 48;
/** Kinds of which one is always kept. */
const ALWAYS = 4;
/** After a cold start the function initializes; the place is filled behind that. */
const REFILL_AFTER_MS = 100;
/** A kind that could not be started is left alone for this long. */
const FAILED_MS = 60_000;

/**
 * Started processes without a function, by what cannot be changed later (`WarmKey`): a cold start that finds one has its
 * sandbox and its runtime already.
 *
 * 1. A process is given out once, and only while it is alive.
 * 2. One at a time is started, and only while nobody waits for a start of his own.
 * 3. What is held never exceeds `maxMb` nor what the host has free when it is started, and is given up when instances need it.
 */
export class WarmPool<P extends WarmProcess> implements SpareMemory {
  private readonly ready = new Map<string, P[]>();
  private demand = new WarmDemand([]);
  private readonly failedUntil = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;
  private starting: Promise<void> | undefined;
  private isOpen = false;

  constructor(private readonly options: WarmPoolOptions<P>) {}

  /** Begins to fill, with the kinds that are likeliest first. */
  open(initial: readonly WarmKey[]): void {
    this.demand = new WarmDemand(initial);
    this.isOpen = this.options.maxMb > 0;
    this.schedule(0);
  }

  get size(): number {
    let size = 0;
    for (const processes of this.ready.values()) size += processes.length;
    return size;
  }

  get heldMb(): number {
    return (this.size + (this.starting === undefined ? 0 : 1)) * WARM_PROCESS_MB;
  }

  /** Kinds that were wanted last, for the next life. */
  get recentKeys(): WarmKey[] {
    return this.demand.recent(ALWAYS);
  }

  take(key: WarmKey): P | undefined {
    if (!this.isOpen) return undefined;
    this.demand.wanted(key, performance.now());
    this.schedule(REFILL_AFTER_MS);
    const processes = this.ready.get(warmKeyText(key)) ?? [];
    // The newest: what it has in memory has been touched last.
    for (let process = processes.pop(); process !== undefined; process = processes.pop()) {
      if (process.isReachable) return process;
      void process.destroy();
    }
    return undefined;
  }

  /** The least recently wanted kinds first. */
  free(neededMb: number): void {
    let leftMb = neededMb;
    const order = this.demand.recent(Infinity).map(warmKeyText).reverse();
    for (const text of order) {
      const processes = this.ready.get(text) ?? [];
      while (leftMb > 0 && processes.length > 0) {
        void processes.shift()?.destroy();
        leftMb -= WARM_PROCESS_MB;
      }
    }
    this.schedule(REFILL_AFTER_MS);
  }

  async close(): Promise<void> {
    this.isOpen = false;
    clearTimeout(this.timer);
    await this.starting;
    await Promise.all([...this.ready.values()].flat().map((process) => process.destroy()));
    this.ready.clear();
  }

  private schedule(afterMs: number): void {
    if (!this.isOpen) return;
    const dueAt = performance.now() + afterMs;
    if (this.timer !== undefined && this.dueAt <= dueAt) return;
    clearTimeout(this.timer);
    this.dueAt = dueAt;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.fill();
    }, afterMs);
    this.timer.unref();
  }

  private async fill(): Promise<void> {
    if (this.starting !== undefined) return;
    for (let key = this.missing(); key !== undefined && this.isOpen; key = this.missing()) {
      if (!this.options.isQuiet()) {
        this.schedule(REFILL_AFTER_MS);
        return;
      }
      this.starting = this.add(key);
      await this.starting;
      this.starting = undefined;
    }
  }

  private async add(key: WarmKey): Promise<void> {
    const text = warmKeyText(key);
    try {
      const process = await this.options.start(key);
      if (!this.isOpen) {
        await process.destroy();
        return;
      }
      const processes = this.ready.get(text);
      if (processes === undefined) this.ready.set(text, [process]);
      else processes.push(process);
      void process.ended.then(() => this.forget(text, process));
    } catch (error) {
      this.failedUntil.set(text, performance.now() + FAILED_MS);
      this.options.log({ error, ...key }, 'no instance could be started for the warm pool');
    }
  }

  /** The kind of which one more is to be started, if any. */
  private missing(): WarmKey | undefined {
    const now = performance.now();
    const room = Math.floor(
      Math.min(this.options.maxMb, this.heldMb + this.options.freeMb()) / WARM_PROCESS_MB,
    );
    for (const [text, { key, count }] of this.demand.targets(now, room, ALWAYS)) {
      if ((this.ready.get(text)?.length ?? 0) < count && now >= (this.failedUntil.get(text) ?? 0)) return key;
    }
    return undefined;
  }

  private forget(text: string, process: P): void {
    const processes = this.ready.get(text) ?? [];
    const at = processes.indexOf(process);
    if (at < 0) return;
    processes.splice(at, 1);
    void process.destroy();
    this.schedule(FAILED_MS);
  }
}
