import { warmKeyText, type WarmKey } from '../instance/warm-key.policy.js';

/** What was wanted so long ago says nothing about what will be. */
const MEMORY_MS = 600_000;
/** What was wanted within this time could not have been started in between. */
const WINDOW_MS = 1_000;

interface Demand {
  readonly key: WarmKey;
  /** How many were wanted in each window that had any; the newest last. */
  readonly windows: { readonly at: number; count: number }[];
}

/** How many started processes of each kind are worth having: as many as were wanted at once, lately. */
export class WarmDemand {
  /** The most recently wanted last. */
  private readonly demands = new Map<string, Demand>();

  constructor(initial: readonly WarmKey[]) {
    for (const key of [...initial].reverse()) this.demands.set(warmKeyText(key), { key, windows: [] });
  }

  wanted(key: WarmKey, now: number): void {
    const text = warmKeyText(key);
    const demand = this.demands.get(text) ?? { key, windows: [] };
    this.demands.delete(text);
    this.demands.set(text, demand);
    const newest = demand.windows.at(-1);
    if (newest !== undefined && now - newest.at < WINDOW_MS) newest.count++;
    else demand.windows.push({ at: now, count: 1 });
  }

  /** The kinds that were wanted most recently, newest first. */
  recent(most: number): WarmKey[] {
    return [...this.demands.values()]
      .reverse()
      .slice(0, most)
      .map(({ key }) => key);
  }

  /**
   * How many of each kind to have, at most `room` together: first one of each of the `always` most recently wanted, then more of
   * those that were wanted several at once.
   */
  targets(now: number, room: number, always: number): Map<string, { key: WarmKey; count: number }> {
    const recent = [...this.demands.values()].reverse();
    const wishes = recent.map((demand, rank) => {
      while (demand.windows[0] !== undefined && now - demand.windows[0].at > MEMORY_MS)
        demand.windows.shift();
      const peak = Math.max(0, ...demand.windows.map(({ count }) => count));
      return { key: demand.key, wish: rank < always ? Math.max(1, peak) : peak, count: 0 };
    });
    let left = room;
    for (let given = true; left > 0 && given;) {
      given = false;
      for (const wish of wishes) {
        if (left <= 0 || wish.count >= wish.wish) continue;
        wish.count++;
        left--;
        given = true;
      }
    }
    return new Map(wishes.map(({ key, count }) => [warmKeyText(key), { key, count }]));
  }
}
