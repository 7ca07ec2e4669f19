import { Inject, Injectable } from '@nestjs/common';
import { triggerStateSchema, type TriggerState } from '@openscf/contracts';
import { Database, sql, type Kysely, type Selectable } from '@openscf/persistence';
import type { RegistrySchema, TriggerTable } from '../database/registry.schema.js';
import type { TriggerRecord } from './trigger.types.js';

function recordOf(row: Selectable<TriggerTable>): TriggerRecord {
  return {
    state: triggerStateSchema.parse(row.state),
    triggerName: row.trigger_name,
    description: row.description,
    customArgument: row.custom_argument,
    ...(row.http_desc && { httpDesc: row.http_desc }),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

/** Triggers. A change of them first locks their function. */
@Injectable()
export class TriggersRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  /** Oldest first. */
  async ofFunction(
    functionId: string,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<TriggerRecord[]> {
    const rows = await db
      .selectFrom('triggers')
      .selectAll()
      .where('function_id', '=', functionId)
      .orderBy('created_at')
      .orderBy('state_name')
      .execute();
    return rows.map(recordOf);
  }

  /** Every trigger of the bucket, whatever function it belongs to; others that would add one wait until the transaction ends. */
  async lockBucket(tx: Kysely<RegistrySchema>, bucket: string): Promise<TriggerRecord[]> {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`bucket/${bucket}`}, 0))`.execute(tx);
    const rows = await tx
      .selectFrom('triggers')
      .selectAll()
      .where('type', '=', 'cos')
      .where(sql<boolean>`state ->> 'bucket' = ${bucket}`)
      .execute();
    return rows.map(recordOf);
  }

  async insert(tx: Kysely<RegistrySchema>, record: TriggerRecord): Promise<void> {
    await tx
      .insertInto('triggers')
      .values({
        function_id: record.state.functionId,
        type: record.state.type,
        trigger_name: record.triggerName,
        state_name: record.state.triggerName,
        description: record.description,
        custom_argument: record.customArgument,
        state: JSON.stringify(record.state),
        http_desc: record.httpDesc ? JSON.stringify(record.httpDesc) : null,
        created_at: record.createdAt,
        modified_at: record.modifiedAt,
      })
      .execute();
  }

  async update(tx: Kysely<RegistrySchema>, record: TriggerRecord): Promise<void> {
    const { state } = record;
    await tx
      .updateTable('triggers')
      .set({
        state: JSON.stringify(state),
        description: record.description,
        custom_argument: record.customArgument,
        http_desc: record.httpDesc ? JSON.stringify(record.httpDesc) : null,
        modified_at: record.modifiedAt,
      })
      .where('function_id', '=', state.functionId)
      .where('type', '=', state.type)
      .where('state_name', '=', state.triggerName)
      .execute();
  }

  async delete(tx: Kysely<RegistrySchema>, state: TriggerState): Promise<void> {
    await tx
      .deleteFrom('triggers')
      .where('function_id', '=', state.functionId)
      .where('type', '=', state.type)
      .where('state_name', '=', state.triggerName)
      .execute();
  }

  async all(tx: Kysely<RegistrySchema>): Promise<TriggerRecord[]> {
    return (await tx.selectFrom('triggers').selectAll().execute()).map(recordOf);
  }
}
