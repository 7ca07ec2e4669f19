import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WarmKey } from '../instance/warm-key.policy.js';
import { WarmDemand } from './warm-demand.policy.js';
import { WARM_PROCESS_MB, WarmPool, type WarmProcess } from './warm-pool.js';

const NODE: WarmKey = { runtime: 'Nodejs20.19', network: 'egress', memoryMb: 128 };
const PYTHON: WarmKey = { ...NODE, runtime: 'Python3.11' };

class WarmFake implements WarmProcess {
  isReachable = true;
  destroyed = false;
  private end!: () => void;
  readonly ended = new Promise<{ oomKilled: boolean }>((resolve) => {
    this.end = () => resolve({ oomKilled: false });
  });
  constructor(
    readonly id: string,
    readonly key: WarmKey,
  ) {}
  destroy(): Promise<void> {
    this.destroyed = true;
    this.isReachable = false;
    return Promise.resolve();
  }
  exit(): void {
    this.isReachable = false;
    this.end();
  }
}

describe('warm pool', () => {
  let started: WarmFake[];
  let pool: WarmPool<WarmFake>;
  let quiet: boolean;
  let freeMb: number;
  let broken: boolean;

  function make(maxMb: number): void {
    started = [];
    quiet = true;
    broken = false;
    freeMb = 10_000;
    pool = new WarmPool<WarmFake>({
      maxMb,
      freeMb: () => freeMb,
      isQuiet: () => quiet,
      log: () => undefined,
      start: (key) => {
        if (broken) return Promise.reject(new Error('broken'));
        const process = new WarmFake(`w-${started.length}`, key);
        started.push(process);
        return Promise.resolve(process);
      },
    });
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    make(10 * WARM_PROCESS_MB);
  });
  afterEach(() => vi.useRealTimers());

  const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  it('starts one of each likely kind, gives it out once, and fills the place again', async () => {
    pool.open([NODE, PYTHON]);
    await later(0);
    expect(started.map(({ key }) => key.runtime)).toEqual(['Nodejs20.19', 'Python3.11']);
    expect(pool.take(NODE)).toBe(started[0]);
    expect(pool.take(NODE)).toBeUndefined();
    await later(200);
    // Two were wanted at once.
    expect(started.filter(({ key }) => key === NODE)).toHaveLength(3);
    expect(pool.size).toBe(3);
  });

  it('does not start anything while somebody waits for a start', async () => {
    quiet = false;
    pool.open([NODE]);
    await later(5_000);
    expect(started).toHaveLength(0);
    quiet = true;
    await later(200);
    expect(started).toHaveLength(1);
  });

  it('never gives out a process that has ended', async () => {
    pool.open([NODE]);
    await later(0);
    started[0]?.exit();
    expect(pool.take(NODE)).toBeUndefined();
    await later(200);
    expect(pool.take(NODE)).toBe(started.at(-1));
  });

  it('keeps to its memory and to what the host has free, and gives it up', async () => {
    freeMb = 3 * WARM_PROCESS_MB;
    pool.open([NODE, PYTHON]);
    for (let i = 0; i < 8; i++) pool.take(NODE);
    freeMb = 0;
    await later(500);
    expect(started).toHaveLength(0);
    freeMb = 10_000;
    pool.take(NODE);
    await later(500);
    expect(pool.heldMb).toBeLessThanOrEqual(10 * WARM_PROCESS_MB);
    pool.free(WARM_PROCESS_MB);
    expect(started.filter(({ destroyed }) => destroyed).map(({ key }) => key)).toEqual([PYTHON]);
  });

  it('is nothing where it has no memory, and leaves a kind alone that does not start', async () => {
    make(0);
    pool.open([NODE]);
    await later(1_000);
    expect(pool.take(NODE)).toBeUndefined();
    expect(started).toHaveLength(0);
    make(1_000);
    broken = true;
    pool.open([NODE]);
    await later(1_000);
    broken = false;
    await later(1_000);
    expect(started).toHaveLength(0);
  });

  it('ends everything when it closes', async () => {
    pool.open([NODE, PYTHON]);
    await later(0);
    await pool.close();
    expect(started.every(({ destroyed }) => destroyed)).toBe(true);
    expect(pool.take(NODE)).toBeUndefined();
  });
});

describe('what the warm pool aims at', () => {
  it('never exceeds the room, and gives every recent kind one before any gets two', () => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map((runtime): WarmKey => ({ ...NODE, runtime }));
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 60 }), fc.nat(12), (wanted, room) => {
        const demand = new WarmDemand([]);
        wanted.forEach((which, at) => demand.wanted(keys[which] as WarmKey, at * 100));
        const counts = [...demand.targets(wanted.length * 100, room, 4).values()].map(({ count }) => count);
        const total = counts.reduce((sum, count) => sum + count, 0);
        expect(total).toBeLessThanOrEqual(room);
        const kinds = new Set(wanted).size;
        if (room >= kinds) expect(counts.every((count) => count > 0)).toBe(true);
      }),
    );
  });

  it('forgets what was wanted long ago, but for one of the last kinds', () => {
    const demand = new WarmDemand([]);
    for (let i = 0; i < 5; i++) demand.wanted(NODE, 0);
    expect(demand.targets(1_000, 10, 1).get('Nodejs20.19/egress/128')?.count).toBe(5);
    expect(demand.targets(3_600_000, 10, 1).get('Nodejs20.19/egress/128')?.count).toBe(1);
  });
});
