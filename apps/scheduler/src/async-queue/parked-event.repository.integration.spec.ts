import { functionKey } from '@openscf/contracts';
import { Database, sql } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { anAsyncEvent, sharedParts } from '@openscf/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from './parked-event.migrations.js';
import { FIRST_EPOCH, LEASE_MS, ParkedEventRepository, type QueuedEvent } from './parked-event.repository.js';
import type { SchedulerTables } from './parked-event.schema.js';
import { NO_PROGRESS } from './retry.policy.js';
import { WorkerRepository } from './worker.repository.js';

function queued(requestId: string, functionName = 'hello'): QueuedEvent {
  const event = anAsyncEvent({ requestId, functionName, event: '{"text":"a\\u0000b"}' });
  const key = functionKey({ namespace: 'default', functionName, version: '$LATEST' });
  return { event, functionKey: key, progress: NO_PROGRESS, traceparent: undefined };
}

describe('parked events', () => {
  let database: Database<SchedulerTables>;
  let one: ParkedEventRepository;
  let two: ParkedEventRepository;
  let oneLives: WorkerRepository;
  let twoLives: WorkerRepository;
  const claim = (rows: ParkedEventRepository, fields = {}) =>
    rows.claim({ limit: 10, perFunction: 10, busy: [], ...fields });
  const idsOf = (events: QueuedEvent[]) => events.map(({ event }) => event.requestId).sort();

  beforeAll(async () => {
    database = new Database<SchedulerTables>({
      url: sharedParts().postgresUrl,
      schema: 'scheduler',
      migrations,
      logger: silentLogger(),
    });
    one = new ParkedEventRepository(database, 'one');
    two = new ParkedEventRepository(database, 'two');
    oneLives = new WorkerRepository(database, 'one', 'host-1:1');
    twoLives = new WorkerRepository(database, 'two', 'host-2:1');
    await Promise.all([oneLives.prepare(), twoLives.prepare()]);
    one.open();
    two.open();
  });

  afterAll(() => database.close());

  beforeEach(async () => {
    await sql`truncate parked_events`.execute(database.kysely);
    await Promise.all([oneLives.beat(), twoLives.beat()]);
  });

  it('come back as they were, when they are due, to one worker', async () => {
    const kept = { ...queued('r1'), progress: { ...NO_PROGRESS, retryNum: 2 }, traceparent: '00-a-b-01' };
    await one.park(kept, Date.now());
    await one.park(queued('r2'), Date.now() + 60_000);
    const [first, second] = await Promise.all([claim(one), claim(two)]);
    expect([...first, ...second]).toEqual([{ ...kept, leaseEpoch: FIRST_EPOCH + 1 }]);
    expect(await one.count()).toEqual({ waiting: 1, leased: 1 });
  });

  it('are shared without overlap by workers that claim at the same time', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => one.park(queued(id, `f${id.length}`), Date.now())));
    const claimed = await Promise.all(
      [one, two, one, two].map((rows) => claim(rows, { limit: 10, perFunction: 10 })),
    );
    const all = idsOf(claimed.flat());
    expect(new Set(all).size).toBe(all.length);
  });

  it('of one function do not keep back those of another', async () => {
    for (let i = 0; i < 20; i++) await one.park(queued(`a${i}`, 'busy'), Date.now() - 60_000);
    await one.park(queued('b', 'calm'), Date.now());
    const busyKey = functionKey({ namespace: 'default', functionName: 'busy', version: '$LATEST' });
    expect(idsOf(await claim(one, { limit: 10, busy: [{ functionKey: busyKey, free: 0 }] }))).toEqual(['b']);
    const claimed = await claim(one, { limit: 10, perFunction: 4 });
    expect(claimed).toHaveLength(4);
  });

  it('are kept once', async () => {
    await one.park(queued('r1'), Date.now() + 60_000);
    await one.park(queued('r1'), Date.now());
    expect(await claim(one)).toEqual([]);
    expect(await one.has('r1')).toBe(true);
    expect(await one.has('r2')).toBe(false);
  });

  it('are settled only by the lease that has them', async () => {
    await one.park(queued('r1'), Date.now());
    const [lease] = await claim(one);
    const epoch = lease?.leaseEpoch ?? -1;
    expect(await two.remove('r1', epoch)).toBe(false);
    expect(await one.remove('r1', epoch - 1)).toBe(false);
    await sql`update parked_events set due_at = now()`.execute(database.kysely);
    expect(await claim(two)).toHaveLength(1);
    expect(await one.reschedule('r1', epoch, NO_PROGRESS, Date.now())).toBe(false);
    expect(await one.remove('r1', epoch)).toBe(false);
    expect(await two.remove('r1', epoch + 1)).toBe(true);
  });

  it('get their next attempt, and a new epoch with it', async () => {
    await one.park(queued('r1'), Date.now());
    await claim(one);
    const progress = { ...NO_PROGRESS, retryNum: 1, failures: 1 };
    expect(await one.reschedule('r1', FIRST_EPOCH + 1, progress, Date.now())).toBe(true);
    expect(await claim(two)).toMatchObject([{ progress, leaseEpoch: FIRST_EPOCH + 2 }]);
  });

  it('whose attempt is under way are leased from the beginning', async () => {
    expect(await one.parkLeased(queued('r1'))).toBe(true);
    expect(await one.parkLeased(queued('r1'))).toBe(true);
    expect(await two.parkLeased(queued('r1'))).toBe(false);
    expect(await claim(two)).toEqual([]);
    const { rows } = await sql<{ ms: number }>`
      select extract(epoch from due_at - now()) * 1000 as ms from parked_events`.execute(database.kysely);
    expect(Number(rows[0]?.ms)).toBeGreaterThan(LEASE_MS - 60_000);
    expect(await one.remove('r1', FIRST_EPOCH)).toBe(true);
  });

  it('of a dead worker are taken back, those of a living one are not', async () => {
    await one.parkLeased(queued('r1'));
    await two.parkLeased(queued('r2'));
    await sql`update workers set seen_at = now() - interval '16 seconds' where worker_id = 'one'`.execute(
      database.kysely,
    );
    expect(await twoLives.reclaim(15_000)).toBe(1);
    expect(idsOf(await claim(two))).toEqual(['r1']);
    expect(await one.remove('r1', FIRST_EPOCH)).toBe(false);
  });

  it('of a worker that was killed are taken back by the one that starts in its place, and no others', async () => {
    await one.parkLeased(queued('r1'));
    await two.parkLeased(queued('r2'));
    await new WorkerRepository(database, 'one-again', 'host-1:1').prepare();
    expect(idsOf(await claim(two))).toEqual(['r1']);
    await sql`delete from workers where worker_id = 'one-again'`.execute(database.kysely);
  });

  it('are given back by a worker that ends', async () => {
    await one.parkLeased(queued('r1'));
    await oneLives.resign();
    expect(idsOf(await claim(two))).toEqual(['r1']);
  });

  it('wait for PostgreSQL with a clear error', async () => {
    const early = new ParkedEventRepository(database, 'early');
    await expect(early.park(queued('r1'), Date.now())).rejects.toThrow(/PostgreSQL/);
  });
});
