import { Inject, Injectable } from '@nestjs/common';
import type { Topic } from '@openscf/contracts';
import { Database, sql, type Kysely } from '@openscf/persistence';
import type { RegistrySchema } from '../database/registry.schema.js';

export interface OutboxRecord {
  id: string;
  topic: string;
  key: string;
  /** Null removes the key from its topic. */
  value: unknown;
}

/** Any number; it keeps two replicas from publishing at the same time, which would mix up the order. */
const RELAY_LOCK = 7_301_001;
/** Shared by changes, held alone by who compares the tables with the topics. */
const CHANGE_LOCK = 7_301_002;

/** Records on their way to Kafka, written in the transaction of the change that they announce. */
@Injectable()
export class OutboxRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  /** Runs one change in a transaction; not while a comparison runs. */
  change<T>(change: (tx: Kysely<RegistrySchema>) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock_shared(${CHANGE_LOCK})`.execute(tx);
      return change(tx);
    });
  }

  /** Runs `compare` in a transaction that sees every change committed before, while no change is under way. */
  compare<T>(compare: (tx: Kysely<RegistrySchema>) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(${CHANGE_LOCK})`.execute(tx);
      return compare(tx);
    });
  }

  /**
   * Adds a record for `topic`. Call it after the change's row is locked: then the records of one key stand in the order
   * of their changes. The shape is checked here, so that what can be stored can also be published.
   */
  async add<T>(tx: Kysely<RegistrySchema>, topic: Topic<T>, key: string, value: T | null): Promise<void> {
    const text = value === null ? null : JSON.stringify(topic.schema.parse(value));
    await tx.insertInto('outbox').values({ topic: topic.name, key, value: text }).execute();
  }

  /**
   * Hands the oldest records to `publish` and removes them once it has resolved; returns how many there were. Only one
   * replica does so at a time, another waits. When `publish` throws they stay.
   */
  relay(limit: number, publish: (records: OutboxRecord[]) => Promise<void>): Promise<number> {
    return this.database.transaction(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(${RELAY_LOCK})`.execute(tx);
      const records = await tx
        .selectFrom('outbox')
        .select(['id', 'topic', 'key', 'value'])
        .orderBy('id')
        .limit(limit)
        .execute();
      if (records.length === 0) return 0;
      await publish(records);
      const ids = records.map((record) => record.id);
      await tx.deleteFrom('outbox').where('id', 'in', ids).execute();
      return records.length;
    });
  }

  /** The keys of `topic` that have records waiting. */
  async waitingKeys(tx: Kysely<RegistrySchema>, topic: string): Promise<Set<string>> {
    const rows = await tx.selectFrom('outbox').select('key').where('topic', '=', topic).execute();
    return new Set(rows.map((row) => row.key));
  }
}
