import { sql, type Database } from '@openscf/persistence';
import type { SchedulerTables } from './parked-event.schema.js';

/** Which schedulers live, and what the dead ones had leased. */
export class WorkerRepository {
  constructor(
    private readonly database: Database<SchedulerTables>,
    private readonly workerId: string,
  ) {}

  /** Waits for PostgreSQL, makes the tables and says that this worker lives. Nothing may be leased before. */
  async prepare(): Promise<void> {
    await this.database.prepare();
    await this.beat();
  }

  async beat(): Promise<void> {
    await sql`
      insert into workers (worker_id, seen_at) values (${this.workerId}, now())
      on conflict (worker_id) do update set seen_at = now()`.execute(this.database.kysely);
  }

  /** Forgets workers that were not seen for `lostAfterMs` and makes due what they have leased. Returns how many events. */
  async reclaim(lostAfterMs: number): Promise<number> {
    return this.database.transaction(async (trx) => {
      await sql`
        delete from workers where seen_at < now() - ${lostAfterMs} * interval '1 millisecond'`.execute(trx);
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
      await sql`
        update parked_events set due_at = now(), leased_by = null where leased_by = ${this.workerId}`.execute(
        trx,
      );
    });
  }
}
