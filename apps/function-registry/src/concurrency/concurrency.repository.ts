import { Inject, Injectable } from '@nestjs/common';
import type { Provisioned } from '@openscf/contracts';
import { Database, sql, type Kysely } from '@openscf/persistence';
import type { RegistrySchema } from '../database/registry.schema.js';
import type { ConcurrencyRecord, ProvisionedRecord } from './concurrency.types.js';

function provisionedRows(db: Kysely<RegistrySchema>) {
  return db
    .selectFrom('provisioned as p')
    .innerJoin('function_versions as v', (join) =>
      join.onRef('v.function_id', '=', 'p.function_id').onRef('v.version', '=', 'p.version'),
    )
    .selectAll('p')
    .select(['v.memory_mb', 'v.runtime'])
    .orderBy('p.modified_at');
}
type Row = Awaited<ReturnType<ReturnType<typeof provisionedRows>['execute']>>[number];

function provisionedOf(row: Row): ProvisionedRecord {
  return {
    version: row.version,
    instances: row.instances,
    schedule: row.schedule,
    ...(row.tracking && { tracking: row.tracking }),
    setAt: row.modified_at.getTime(),
    memoryMb: row.memory_mb,
    runtime: row.runtime,
  };
}

/** Reserved and provisioned concurrency. A change of them first locks its function, then the account. */
@Injectable()
export class ConcurrencyRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  /** Keeps other changes of concurrency waiting until the transaction ends: the sum over all functions is bounded. */
  async lockAccount(tx: Kysely<RegistrySchema>): Promise<void> {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended('concurrency', 0))`.execute(tx);
  }

  /** Every function that has any. */
  async all(db: Kysely<RegistrySchema> = this.database.kysely): Promise<ConcurrencyRecord[]> {
    const provisioned = Map.groupBy(await provisionedRows(db).execute(), (row) => row.function_id);
    const functions = await db
      .selectFrom('functions')
      .selectAll()
      .where(
        sql<boolean>`(reserved_mb IS NOT NULL OR EXISTS (SELECT FROM provisioned p WHERE p.function_id = functions.function_id))`,
      )
      .execute();
    return functions.map((row) => ({
      functionId: row.function_id,
      namespace: row.namespace,
      functionName: row.function_name,
      revision: Number(row.concurrency_revision),
      reservedMb: row.reserved_mb ?? undefined,
      provisioned: (provisioned.get(row.function_id) ?? []).map(provisionedOf),
    }));
  }

  /** Of one function, whether it has any or not. */
  async of(
    functionId: string,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<ConcurrencyRecord | undefined> {
    const row = await db
      .selectFrom('functions')
      .selectAll()
      .where('function_id', '=', functionId)
      .executeTakeFirst();
    if (!row) return undefined;
    const provisioned = await provisionedRows(db).where('p.function_id', '=', functionId).execute();
    return {
      functionId,
      namespace: row.namespace,
      functionName: row.function_name,
      revision: Number(row.concurrency_revision),
      reservedMb: row.reserved_mb ?? undefined,
      provisioned: provisioned.map(provisionedOf),
    };
  }

  async setReserved(
    tx: Kysely<RegistrySchema>,
    functionId: string,
    reservedMb: number | null,
  ): Promise<void> {
    await tx
      .updateTable('functions')
      .set({ reserved_mb: reservedMb })
      .where('function_id', '=', functionId)
      .execute();
  }

  async putProvisioned(
    tx: Kysely<RegistrySchema>,
    functionId: string,
    provisioned: Provisioned,
  ): Promise<void> {
    const { version, instances, schedule, tracking, setAt } = provisioned;
    const columns = {
      instances,
      schedule: JSON.stringify(schedule),
      tracking: tracking ? JSON.stringify(tracking) : null,
      modified_at: new Date(setAt ?? Date.now()),
    };
    await tx
      .insertInto('provisioned')
      .values({ function_id: functionId, version, ...columns })
      .onConflict((conflict) => conflict.columns(['function_id', 'version']).doUpdateSet(columns))
      .execute();
  }

  async deleteProvisioned(tx: Kysely<RegistrySchema>, functionId: string, version: string): Promise<void> {
    await tx
      .deleteFrom('provisioned')
      .where('function_id', '=', functionId)
      .where('version', '=', version)
      .execute();
  }

  async setRevision(tx: Kysely<RegistrySchema>, functionId: string, revision: number): Promise<void> {
    await tx
      .updateTable('functions')
      .set({ concurrency_revision: revision })
      .where('function_id', '=', functionId)
      .execute();
  }
}
