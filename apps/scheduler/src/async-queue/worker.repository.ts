import { sql, type Database, type Transaction } from '@openscf/persistence';
import type { SchedulerTables } from './parked-event.schema.js';

/** Which schedulers live, and what the dead ones had leased. */
export class WorkerRepository {
  /**
   * @param workerId names the process among all that ever ran
   * @param place names where it runs: of two workers in one place the earlier one is dead
   */
  constructor(
    private readonly database: Database<SchedulerTables>,
    private readonly workerId: string,
    private readonly place: string,
  ) {}

  /**
   * Waits for PostgreSQL, makes the tables, says that this worker lives, and makes due what its predecessor had leased. Nothing
   * may be leased before.
   */
  async prepare(): Promise<void> {
    await this.database.prepare();
    await this.beat();
    await this.database.transaction(async (trx) => {
      await sql`delete from workers where place = ${this.place} and worker_id <> ${this.workerId}`.execute(
        trx,
      );
      await releaseOrphans(trx);
    });
  }

  async beat(): Promise<void> {
    await sql`
      insert into workers (worker_id, place, seen_at) values (${this.workerId}, ${this.place}, now())
      on conflict (worker_id) do update set seen_at = now()`.execute(this.database.kysely);
  }

  /** Forgets workers that were not seen for `lostAfterMs` and makes due what they have leased. Returns how many events. */
  async reclaim(lostAfterMs: number): Promise<number> {
    return this.database.transaction(async (trx) => {
      await sql`
        delete from workers where seen_at < now() - ${lostAfterMs} * interval '1 millisecond'`.execute(trx);
      return releaseOrphans(trx);
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

async function releaseOrphans(trx: Transaction<SchedulerTables>): Promise<number> {
  const result = await sql`
    update parked_events set due_at = now(), leased_by = null
    where leased_by is not null and leased_by not in (select worker_id from workers)`.execute(trx);
  return Number(result.numAffectedRows ?? 0n);
}
