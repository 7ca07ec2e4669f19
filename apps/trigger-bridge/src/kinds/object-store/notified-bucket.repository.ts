import type { Database, Migration } from '@openscf/persistence';
import type { BridgeSchema } from '../../bridge.schema.js';

export const notifiedBucketMigration: Migration = {
  async up(db) {
    await db.schema
      .createTable('notified_buckets')
      .addColumn('bucket', 'text', (column) => column.primaryKey())
      .execute();
  },
};

/** The buckets that carry our notification rules, so that a bucket whose last trigger went while nobody looked is cleaned too. */
export class NotifiedBucketRepository {
  constructor(private readonly database: Database<BridgeSchema>) {}

  async all(): Promise<string[]> {
    const rows = await this.database.kysely.selectFrom('notified_buckets').select('bucket').execute();
    return rows.map((row) => row.bucket);
  }

  async add(bucket: string): Promise<void> {
    await this.database.kysely
      .insertInto('notified_buckets')
      .values({ bucket })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async remove(bucket: string): Promise<void> {
    await this.database.kysely.deleteFrom('notified_buckets').where('bucket', '=', bucket).execute();
  }
}
