import { asyncEventSchema, UnavailableError, type AsyncEvent } from '@openscf/contracts';
import { sql, type Database, type Kysely } from '@openscf/persistence';
import type { Progress } from './retry.policy.js';

interface ParkedEventRow {
  request_id: string;
  function_key: string;
  event: string;
  progress: string;
  traceparent: string | null;
  due_at: Date;
  leased_by: string | null;
  lease_epoch: number;
  parked_at: Date;
}

export interface SchedulerTables {
  parked_events: ParkedEventRow;
  workers: { worker_id: string; seen_at: Date };
}

/** An event with all that its next attempt needs. */
export interface QueuedEvent {
  readonly event: AsyncEvent;
  readonly functionKey: string;
  readonly progress: Progress;
  readonly traceparent: string | undefined;
}

export interface LeasedEvent extends QueuedEvent {
  readonly leaseEpoch: number;
}

export interface ClaimOptions {
  readonly limit: number;
  /** The most of one function, unless `busy` names it. */
  readonly perFunction: number;
  readonly busy: readonly { functionKey: string; free: number }[];
}

/** The epoch of a row that was never claimed. */
export const FIRST_EPOCH = 0;
/** Longer than any attempt: 900 s of time, 300 s of initialization (SCF's most), and the dispatch around them. */
export const LEASE_MS = 1_320_000;

/**
 * Parked events. A row is due at `due_at`: its next attempt, or the end of its lease while `leased_by` has it. Every claim
 * raises `lease_epoch`; who settles a row names the epoch it claimed, so one that was taken over settles nothing.
 * Until the tables are there every call throws UnavailableError, as it does when PostgreSQL is away.
 */
export class ParkedEventRepository {
  private prepared = false;

  constructor(
    private readonly database: Database<SchedulerTables>,
    readonly workerId: string,
  ) {}

  /** Waits for PostgreSQL, makes the tables and says that this worker lives. */
  async prepare(): Promise<void> {
    await this.database.prepare();
    await beat(this.database.kysely, this.workerId);
    this.prepared = true;
  }

  /** Keeps an event until `at`. One that is kept already stays as it is. */
  async park(queued: QueuedEvent, at: number): Promise<void> {
    await this.insert(queued, new Date(at), null);
  }

  /**
   * Keeps an event whose attempt is under way here, as if it had been claimed. Calling it again is harmless. False when
   * the event is kept already by another record of it.
   */
  async parkLeased(queued: QueuedEvent): Promise<boolean> {
    if (await this.insert(queued, new Date(Date.now() + LEASE_MS), this.workerId)) return true;
    const own = await this.db
      .selectFrom('parked_events')
      .select('request_id')
      .where('request_id', '=', queued.event.requestId)
      .where('lease_epoch', '=', FIRST_EPOCH)
      .where('leased_by', '=', this.workerId)
      .executeTakeFirst();
    return own !== undefined;
  }

  /** True when the event is kept here, waiting or leased. */
  async has(requestId: string): Promise<boolean> {
    const row = await this.db
      .selectFrom('parked_events')
      .select('request_id')
      .where('request_id', '=', requestId)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Leases what is due, the longest due first, no more of each function than it has slots. */
  async claim(options: ClaimOptions): Promise<LeasedEvent[]> {
    const keys = options.busy.map((each) => each.functionKey);
    const frees = options.busy.map((each) => each.free);
    const { rows } = await sql<ParkedEventRow>`
      with functions as (
        select p.function_key, min(p.due_at) as first_due_at, coalesce(min(b.free), ${options.perFunction}) as free
        from parked_events p
        left join unnest(${keys}::text[], ${frees}::int[]) as b(function_key, free) using (function_key)
        where p.due_at <= now()
        group by p.function_key
      ), due as (
        select d.request_id
        from functions f
        cross join lateral (
          select request_id from parked_events
          where function_key = f.function_key and due_at <= now()
          order by due_at
          limit f.free
          for update skip locked
        ) d
        order by f.first_due_at
        limit ${options.limit}
      )
      update parked_events p
      set leased_by = ${this.workerId}, lease_epoch = p.lease_epoch + 1,
          due_at = now() + ${LEASE_MS} * interval '1 millisecond'
      from due where p.request_id = due.request_id
      returning p.*`.execute(this.db);
    return rows.map((row) => ({
      event: asyncEventSchema.parse(JSON.parse(row.event)),
      functionKey: row.function_key,
      progress: JSON.parse(row.progress) as Progress,
      traceparent: row.traceparent ?? undefined,
      leaseEpoch: row.lease_epoch,
    }));
  }

  /** Gives a leased event its next attempt. False when the lease was lost. */
  async reschedule(requestId: string, leaseEpoch: number, progress: Progress, at: number): Promise<boolean> {
    const result = await this.db
      .updateTable('parked_events')
      .set({ progress: JSON.stringify(progress), due_at: new Date(at), leased_by: null })
      .where('request_id', '=', requestId)
      .where('lease_epoch', '=', leaseEpoch)
      .where('leased_by', '=', this.workerId)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Forgets a leased event that is done or dead-lettered. False when the lease was lost. */
  async remove(requestId: string, leaseEpoch: number): Promise<boolean> {
    const result = await this.db
      .deleteFrom('parked_events')
      .where('request_id', '=', requestId)
      .where('lease_epoch', '=', leaseEpoch)
      .where('leased_by', '=', this.workerId)
      .executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  async count(): Promise<{ waiting: number; leased: number }> {
    const row = await this.db
      .selectFrom('parked_events')
      .select((eb) => [eb.fn.countAll<string>().as('all'), eb.fn.count<string>('leased_by').as('leased')])
      .executeTakeFirstOrThrow();
    return { waiting: Number(row.all) - Number(row.leased), leased: Number(row.leased) };
  }

  /** Says that this worker lives. */
  async beat(): Promise<void> {
    await beat(this.db, this.workerId);
  }

  /** Forgets workers that were not seen for `lostAfterMs` and makes due what they have leased. Returns how many events. */
  async reclaim(lostAfterMs: number): Promise<number> {
    return this.database.transaction(async (trx) => {
      await sql`delete from workers where seen_at < now() - ${lostAfterMs} * interval '1 millisecond'`.execute(
        trx,
      );
      const result = await sql`
        update parked_events set due_at = now(), leased_by = null
        where leased_by is not null and leased_by not in (select worker_id from workers)`.execute(trx);
      return Number(result.numAffectedRows ?? 0n);
    });
  }

  /** At the end of the process: what it still has leased is due for others. */
  async resign(): Promise<void> {
    await this.database.transaction(async (trx) => {
      await trx.deleteFrom('workers').where('worker_id', '=', this.workerId).execute();
      await trx
        .updateTable('parked_events')
        .set({ due_at: new Date(), leased_by: null })
        .where('leased_by', '=', this.workerId)
        .execute();
    });
  }

  private async insert(queued: QueuedEvent, dueAt: Date, leasedBy: string | null): Promise<boolean> {
    const result = await this.db
      .insertInto('parked_events')
      .values({
        request_id: queued.event.requestId,
        function_key: queued.functionKey,
        event: JSON.stringify(queued.event),
        progress: JSON.stringify(queued.progress),
        traceparent: queued.traceparent ?? null,
        due_at: dueAt,
        leased_by: leasedBy,
        lease_epoch: FIRST_EPOCH,
        parked_at: new Date(),
      })
      .onConflict((conflict) => conflict.column('request_id').doNothing())
      .executeTakeFirst();
    return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
  }

  private get db() {
    if (!this.prepared) throw new UnavailableError('PostgreSQL has not answered since the start');
    return this.database.kysely;
  }
}

async function beat(db: Kysely<SchedulerTables>, workerId: string): Promise<void> {
  await sql`
    insert into workers (worker_id, seen_at) values (${workerId}, now())
    on conflict (worker_id) do update set seen_at = now()`.execute(db);
}
