import { UnavailableError, type AsyncEvent, type TimerTrigger } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TimerCursor } from './timer-cursor.repository.js';
import { TimerService, type TimerCursors } from './timer.service.js';

const START = Date.parse('2026-11-22T10:00:00Z');
const KEY = 'default/f/timer/t';

function timer(over: Partial<TimerTrigger> = {}): TimerTrigger {
  return {
    type: 'timer',
    namespace: 'default',
    functionName: 'f',
    functionId: 'lam-1',
    triggerName: 't',
    qualifier: '$DEFAULT',
    enabled: true,
    revision: 1,
    createdAt: START,
    cron: '* * * * * * *',
    customArgument: 'hi',
    ...over,
  };
}

/** What the table does, in memory, shared by the replicas of a test. */
class CursorsInMemory implements TimerCursors {
  readonly rows = new Map<string, TimerCursor>();
  away = false;
  /** The next commit is lost after `fire` has resolved. */
  loseCommit = false;
  private lock: Promise<unknown> = Promise.resolve();

  register(key: string, incarnation: string, seenAt: number): Promise<number> {
    if (this.away) return Promise.reject(new UnavailableError('PostgreSQL is away'));
    const row = this.rows.get(key);
    if (row?.incarnation !== incarnation) this.rows.set(key, { incarnation, settledAt: seenAt });
    return Promise.resolve(this.rows.get(key)?.settledAt ?? seenAt);
  }

  forget(key: string, incarnation: string): Promise<void> {
    if (this.rows.get(key)?.incarnation === incarnation) this.rows.delete(key);
    return Promise.resolve();
  }

  keepOnly(keys: readonly string[]): Promise<void> {
    for (const key of this.rows.keys()) if (!keys.includes(key)) this.rows.delete(key);
    return Promise.resolve();
  }

  advance(
    keys: readonly string[],
    fire: (cursors: ReadonlyMap<string, TimerCursor>) => Promise<ReadonlyMap<string, number>>,
  ): Promise<void> {
    const turn = this.lock.then(async () => {
      if (this.away) throw new UnavailableError('PostgreSQL is away');
      const settled = await fire(new Map([...this.rows].filter(([key]) => keys.includes(key))));
      if (this.loseCommit) throw new UnavailableError('the commit was lost');
      for (const [key, settledAt] of settled) {
        const row = this.rows.get(key);
        if (row) row.settledAt = settledAt;
      }
    });
    this.lock = turn.catch(() => undefined);
    return turn;
  }
}

describe('TimerService', () => {
  let now: number;
  let cursors: CursorsInMemory;
  let published: AsyncEvent[];
  let kafkaAway: boolean;

  const bus = {
    publish: <T>(_: unknown, messages: { value: T | null }[]) => {
      if (kafkaAway) return Promise.reject(new UnavailableError('Kafka is away'));
      published.push(...messages.map((message) => message.value as AsyncEvent));
      return Promise.resolve();
    },
  };
  /** A replica whose own clock never rings: the test says when it looks. */
  const replica = (): TimerService => {
    const service = new TimerService(cursors, bus, silentLogger(), {
      account: { appId: '1', uin: '2', region: 'r' },
      catchUpMs: 10_000,
      now: () => now,
    });
    vi.spyOn(service as unknown as { wake: () => void }, 'wake').mockReturnValue(undefined);
    return service;
  };
  const started = async (trigger = timer()): Promise<TimerService> => {
    const service = replica();
    await service.begin(new Map([[KEY, trigger]]));
    await service.fireDue();
    return service;
  };
  const ticks = (): number[] =>
    published.map((event) => (Date.parse(event.origin['tick'] ?? '') - START) / 1000);

  beforeEach(() => {
    now = START;
    cursors = new CursorsInMemory();
    published = [];
    kafkaAway = false;
  });

  it("sends SCF's event", async () => {
    const service = await started();
    now += 1_000;
    await service.fireDue();
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({ source: 'timer', functionName: 'f', qualifier: '$DEFAULT' });
    expect(JSON.parse(published[0]?.event ?? '')).toEqual({
      Type: 'Timer',
      TriggerName: 't',
      Time: '2026-11-22T10:00:01Z',
      Message: 'hi',
    });
  });

  it('fires every tick once over two replicas and a restart', async () => {
    const [a, b] = [await started(), await started()];
    for (let second = 1; second <= 5; second++) {
      now = START + second * 1_000;
      await Promise.all([a.fireDue(), b.fireDue()]);
    }
    now += 2_500;
    await (await started()).fireDue();
    expect(ticks()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('fires what became due while Kafka was away, as far as the window reaches', async () => {
    const service = await started();
    kafkaAway = true;
    now += 3_000;
    await expect(service.fireDue()).rejects.toThrow('Kafka is away');
    kafkaAway = false;
    await service.fireDue();
    expect(ticks()).toEqual([1, 2, 3]);
    now += 30_000;
    await service.fireDue();
    expect(ticks().slice(3)).toEqual(Array.from({ length: 11 }, (_, i) => 23 + i));
  });

  it('goes on without PostgreSQL and doubles nothing when it is back', async () => {
    const service = await started();
    now += 1_000;
    await service.fireDue();
    cursors.away = true;
    now += 1_000;
    await service.fireDue();
    cursors.away = false;
    now += 1_000;
    await service.fireDue();
    expect(ticks()).toEqual([1, 2, 3]);
  });

  it('does not fire a tick again when only its cursor was lost', async () => {
    const service = await started();
    cursors.loseCommit = true;
    now += 1_000;
    await service.fireDue();
    cursors.loseCommit = false;
    now += 1_000;
    await service.fireDue();
    expect(ticks()).toEqual([1, 2]);
  });

  it('gives a tick that is fired again the same request id', async () => {
    const first = await started();
    cursors.loseCommit = true;
    now += 1_000;
    await first.fireDue();
    cursors.loseCommit = false;
    await (await started()).fireDue();
    expect(ticks()).toEqual([1, 1]);
    expect(new Set(published.map((event) => event.requestId)).size).toBe(1);
  });

  it('begins anew when a trigger is enabled, changed or made again', async () => {
    const service = await started();
    service.changed(KEY, timer({ enabled: false }));
    await service.fireDue();
    now += 5_000;
    service.changed(KEY, timer());
    await service.fireDue();
    expect(ticks()).toEqual([]);
    now += 1_000;
    await service.fireDue();
    expect(ticks()).toEqual([6]);
    service.changed(KEY, undefined);
    now += 1_000;
    await service.fireDue();
    expect(ticks()).toEqual([6]);
    expect(cursors.rows.size).toBe(0);
  });

  it('stores a cursor again that another replica has removed', async () => {
    const service = await started();
    cursors.rows.clear();
    now += 1_000;
    await service.fireDue();
    await service.fireDue();
    now += 1_000;
    await service.fireDue();
    expect(ticks()).toEqual([1, 2]);
  });

  it('leaves out a schedule that cannot be read', async () => {
    const service = await started(timer({ cron: 'never' }));
    now += 1_000;
    await service.fireDue();
    expect(published).toEqual([]);
  });
});
