import { sql, type Database, type Migration } from '@openscf/persistence';
import type { BridgeSchema } from '../../bridge.schema.js';

/** How far a timer has been fired. */
export interface TimerCursor {
  /** Names the schedule that the cursor belongs to; another schedule begins with a cursor of its own. */
  incarnation: string;
  /** Ticks up to here (ms since the epoch) are fired or given up. */
  settledAt: number;
}

export const timerCursorMigration: Migration = {
  async up(db) {
    await db.schema
      .createTable('timer_cursors')
      .addColumn('trigger_key', 'text', (column) => column.primaryKey())
      .addColumn('incarnation', 'text', (column) => column.notNull())
      .addColumn('settled_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};

/** The cursors of all timers. A cursor's row lock is what lets one replica fire a tick. */
export class TimerCursorRepository {
  constructor(private readonly database: Database<BridgeSchema>) {}

  /** Makes a cursor at `seenAt`, unless this incarnation has one. Resolves with what is settled. */
  async register(key: string, incarnation: string, seenAt: number): Promise<number> {
    const { rows } = await sql<{ settled_at: string }>`
      insert into timer_cursors as old (trigger_key, incarnation, settled_at)
      values (${key}, ${incarnation}, ${String(seenAt)})
      on conflict (trigger_key) do update set
        incarnation = excluded.incarnation,
        settled_at = case when old.incarnation = excluded.incarnation then old.settled_at else excluded.settled_at end
      returning settled_at`.execute(this.database.kysely);
    return Number(rows[0]?.settled_at ?? seenAt);
  }

  async forget(key: string, incarnation: string): Promise<void> {
    await this.database.kysely
      .deleteFrom('timer_cursors')
      .where('trigger_key', '=', key)
      .where('incarnation', '=', incarnation)
      .execute();
  }

  /** Forgets the cursors of all triggers but these. */
  async keepOnly(keys: readonly string[]): Promise<void> {
    await this.database.kysely
      .deleteFrom('timer_cursors')
      .where(sql<boolean>`trigger_key <> all(${[...keys]}::text[])`)
      .execute();
  }

  /**
   * Locks the cursors, hands them to `fire` and stores the instants that it resolves with. When `fire` rejects, or this
   * process dies before the end, the cursors are as they were. Other replicas wait here meanwhile.
   */
  async advance(
    keys: readonly string[],
    fire: (cursors: ReadonlyMap<string, TimerCursor>) => Promise<ReadonlyMap<string, number>>,
  ): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const rows = await transaction
        .selectFrom('timer_cursors')
        .selectAll()
        .where('trigger_key', 'in', [...keys])
        // One order for all, so that two replicas never wait for each other.
        .orderBy('trigger_key')
        .forUpdate()
        .execute();
      const cursors = new Map(
        rows.map((row) => [
          row.trigger_key,
          { incarnation: row.incarnation, settledAt: Number(row.settled_at) },
        ]),
      );
      const settled = await fire(cursors);
      if (settled.size === 0) return;
      await sql`
        update timer_cursors set settled_at = new.settled_at
        from unnest(${[...settled.keys()]}::text[], ${[...settled.values()].map(String)}::bigint[])
          as new (trigger_key, settled_at)
        where timer_cursors.trigger_key = new.trigger_key`.execute(transaction);
    });
  }
}
