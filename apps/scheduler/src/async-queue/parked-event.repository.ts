import { asyncEventSchema, UnavailableError, type AsyncEvent } from '@openscf/contracts';
import { sql, type Database } from '@openscf/persistence';
import type { ParkedEventRow, SchedulerTables } from './parked-event.schema.js';
import type { Progress } from './retry.policy.js';
import { RowBatch } from './row-batch.service.js';

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

interface NewRow {
  readonly requestId: string;
  readonly functionKey: string;
  readonly event: string;
  readonly progress: string;
  readonly traceparent: string | null;
  readonly dueAt: Date;
  readonly leasedBy: string | null;
}

/** What a leased row becomes: rescheduled, or without `progress` and `dueAt` removed. */
interface Settlement {
  readonly requestId: string;
  readonly leaseEpoch: number;
  readonly progress?: string;
  readonly dueAt?: Date;
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
 * Until `open` every call throws UnavailableError, as it does when PostgreSQL is away.
 */
export class ParkedEventRepository {
  private opened = false;
  private readonly inserts = new RowBatch<NewRow, boolean>((rows) => this.insertAll(rows));
  private readonly updates = new RowBatch<Settlement, boolean>((rows) => this.rescheduleAll(rows));
  private readonly removals = new RowBatch<Settlement, boolean>((rows) => this.removeAll(rows));

  constructor(
    private readonly database: Database<SchedulerTables>,
    readonly workerId: string,
  ) {}

  /** Call once the tables are there and the worker is known (worker.repository.ts). */
  open(): void {
    this.opened = true;
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

  /**
   * Leases what is due: of each function the longest due first and no more than it has slots; functions in random order, so
   * that none waits for the backlog of others when there is not room for all. `firsts` reads one row of the index per function:
   * the cost does not grow with the number of events.
   */
  async claim(options: ClaimOptions): Promise<LeasedEvent[]> {
    const keys = options.busy.map((each) => each.functionKey);
    const frees = options.busy.map((each) => each.free);
    const { rows } = await sql<ParkedEventRow>`
      with recursive firsts as (
        (select function_key, due_at from parked_events order by function_key, due_at limit 1)
        union all
        select n.function_key, n.due_at
        from firsts f
        cross join lateral (
          select function_key, due_at from parked_events
          where function_key > f.function_key
          order by function_key, due_at
          limit 1
        ) n
      ), functions as (
        select f.function_key, random() as turn, coalesce(b.free, ${options.perFunction}) as free
        from firsts f
        left join unnest(${keys}::text[], ${frees}::int[]) as b(function_key, free) using (function_key)
        where f.due_at <= now()
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
        order by f.turn
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
  reschedule(requestId: string, leaseEpoch: number, progress: Progress, at: number): Promise<boolean> {
    return this.updates.add({
      requestId,
      leaseEpoch,
      progress: JSON.stringify(progress),
      dueAt: new Date(at),
    });
  }

  /** Forgets a leased event that is done or dead-lettered. False when the lease was lost. */
  remove(requestId: string, leaseEpoch: number): Promise<boolean> {
    return this.removals.add({ requestId, leaseEpoch });
  }

  async count(): Promise<{ waiting: number; leased: number }> {
    const row = await this.db
      .selectFrom('parked_events')
      .select((eb) => [eb.fn.countAll<string>().as('all'), eb.fn.count<string>('leased_by').as('leased')])
      .executeTakeFirstOrThrow();
    return { waiting: Number(row.all) - Number(row.leased), leased: Number(row.leased) };
  }

  private insert(queued: QueuedEvent, dueAt: Date, leasedBy: string | null): Promise<boolean> {
    return this.inserts.add({
      requestId: queued.event.requestId,
      functionKey: queued.functionKey,
      event: JSON.stringify(queued.event),
      progress: JSON.stringify(queued.progress),
      traceparent: queued.traceparent ?? null,
      dueAt,
      leasedBy,
    });
  }

  /** @returns for each row whether it was not there before */
  private async insertAll(rows: readonly NewRow[]): Promise<boolean[]> {
    const { rows: inserted } = await sql<{ request_id: string }>`
      insert into parked_events (request_id, function_key, event, progress, traceparent, due_at, leased_by, lease_epoch)
      select *, ${FIRST_EPOCH}::int from unnest(
        ${rows.map((row) => row.requestId)}::text[], ${rows.map((row) => row.functionKey)}::text[],
        ${rows.map((row) => row.event)}::text[], ${rows.map((row) => row.progress)}::text[],
        ${rows.map((row) => row.traceparent)}::text[], ${rows.map((row) => row.dueAt)}::timestamptz[],
        ${rows.map((row) => row.leasedBy)}::text[])
      on conflict (request_id) do nothing
      returning request_id`.execute(this.db);
    return taken(rows, inserted);
  }

  private async rescheduleAll(rows: readonly Settlement[]): Promise<boolean[]> {
    const { rows: updated } = await sql<{ request_id: string }>`
      update parked_events p
      set progress = s.progress, due_at = s.due_at, leased_by = null
      from unnest(
        ${rows.map((row) => row.requestId)}::text[], ${rows.map((row) => row.leaseEpoch)}::int[],
        ${rows.map((row) => row.progress)}::text[], ${rows.map((row) => row.dueAt)}::timestamptz[]
      ) as s(request_id, lease_epoch, progress, due_at)
      where p.request_id = s.request_id and p.lease_epoch = s.lease_epoch and p.leased_by = ${this.workerId}
      returning p.request_id`.execute(this.db);
    return taken(rows, updated);
  }

  private async removeAll(rows: readonly Settlement[]): Promise<boolean[]> {
    const { rows: removed } = await sql<{ request_id: string }>`
      delete from parked_events p
      using unnest(
        ${rows.map((row) => row.requestId)}::text[], ${rows.map((row) => row.leaseEpoch)}::int[]
      ) as s(request_id, lease_epoch)
      where p.request_id = s.request_id and p.lease_epoch = s.lease_epoch and p.leased_by = ${this.workerId}
      returning p.request_id`.execute(this.db);
    return taken(rows, removed);
  }

  private get db() {
    if (!this.opened) throw new UnavailableError('PostgreSQL has not answered since the start');
    return this.database.kysely;
  }
}

/** For each row whether the statement returned it; one that is in the statement twice counts once. */
function taken(
  rows: readonly { requestId: string }[],
  returned: readonly { request_id: string }[],
): boolean[] {
  const ids = new Set(returned.map((row) => row.request_id));
  return rows.map(({ requestId }) => ids.delete(requestId));
}
