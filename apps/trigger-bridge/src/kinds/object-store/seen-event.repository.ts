import { sql, type Database, type Migration } from '@openscf/persistence';
import type { BridgeSchema } from '../../bridge.schema.js';

export const seenEventMigration: Migration = {
  async up(db) {
    await db.schema
      .createTable('seen_object_events')
      .addColumn('identity', 'uuid', (column) => column.primaryKey())
      .addColumn('seen_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    await db.schema
      .createIndex('seen_object_events_seen_at')
      .on('seen_object_events')
      .column('seen_at')
      .execute();
  },
};

/** Which changes of objects have been turned into events, so that the second report of a change starts nothing. */
export class SeenEventRepository {
  constructor(private readonly database: Database<BridgeSchema>) {}

  /**
   * Hands `fire` those identities that are new, and remembers them when it has resolved. A replica that has the same identity
   * at hand waits meanwhile; when `fire` rejects, or this process dies, the identity is new again.
   */
  async once(
    identities: readonly string[],
    fire: (fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<void> {
    // One order for all, so that two replicas never wait for each other.
    const sorted = [...identities].sort();
    await this.database.transaction(async (transaction) => {
      const { rows } = await sql<{ identity: string }>`
        insert into seen_object_events (identity) select unnest(${sorted}::uuid[])
        on conflict do nothing returning identity`.execute(transaction);
      if (rows.length > 0) await fire(new Set(rows.map((row) => row.identity)));
    });
  }

  async forgetOlderThan(days: number): Promise<void> {
    await this.database.kysely
      .deleteFrom('seen_object_events')
      .where('seen_at', '<', sql<Date>`now() - make_interval(days => ${days})`)
      .execute();
  }
}
