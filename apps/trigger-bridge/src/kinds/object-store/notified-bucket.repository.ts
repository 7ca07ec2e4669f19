import type { Database, Migration } from '@openscf/persistence';
import type { BridgeSchema } from '../../bridge.schema.js';

export const notifiedBucketMigration: Migration = {
  async up(db) {
    await db.schema
      .createTable('notified_buckets')
      .addColumn('bucket', 'text', (column) => column.primaryKey())
      .addColumn('caught_up', 'boolean', (column) => column.notNull())
      .execute();
  },
};

/** The buckets that carry our notification rules, so that a bucket whose last trigger went while nobody looked is cleaned too. */
export class NotifiedBucketRepository {
  constructor(private readonly database: Database<BridgeSchema>) {}

  /** Each bucket, and whether the objects put before its rules were set have been looked for. */
  async all(): Promise<{ bucket: string; caughtUp: boolean }[]> {
    const rows = await this.database.kysely.selectFrom('notified_buckets').selectAll().execute();
    return rows.map((row) => ({ bucket: row.bucket, caughtUp: row.caught_up }));
  }

  async set(bucket: string, caughtUp: boolean): Promise<void> {
    await this.database.kysely
      .insertInto('notified_buckets')
      .values({ bucket, caught_up: caughtUp })
      .onConflict((conflict) => conflict.column('bucket').doUpdateSet({ caught_up: caughtUp }))
      .execute();
  }

  async remove(bucket: string): Promise<void> {
    await this.database.kysely.deleteFrom('notified_buckets').where('bucket', '=', bucket).execute();
  }
}
