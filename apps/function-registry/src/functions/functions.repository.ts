import { Inject, Injectable } from '@nestjs/common';
import { LATEST } from '@openscf/contracts';
import { Database, sql, type Kysely } from '@openscf/persistence';
import type { RegistrySchema } from '../database/registry.schema.js';
import { joined, recordOf, selected, versionColumns } from './function-rows.repository.js';
import type { FunctionListQuery, FunctionName, FunctionRecord } from './function.types.js';

const ORDER_COLUMNS = {
  createdAt: 'v.created_at',
  modifiedAt: 'v.modified_at',
  functionName: 'f.function_name',
} as const;
const FILTER_COLUMNS = { status: 'v.status', runtime: 'v.runtime', type: 'f.type' } as const;

/** The rows of `joined` that a list asks for. */
function condition({ namespace, nameContains, descriptionContains, filters }: FunctionListQuery) {
  const parts = [sql`f.namespace = ${namespace}`, sql`v.version = ${LATEST}`];
  if (nameContains !== '') parts.push(sql`strpos(f.function_name, ${nameContains}) > 0`);
  if (descriptionContains !== '') parts.push(sql`strpos(v.description, ${descriptionContains}) > 0`);
  for (const { field, values } of filters) {
    parts.push(sql`${sql.ref(FILTER_COLUMNS[field])} = ANY(${values})`);
  }
  return sql<boolean>`(${sql.join(parts, sql` AND `)})`;
}

/** Functions and their versions. Methods that take a transaction are parts of a change. */
@Injectable()
export class FunctionsRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  async find(
    name: FunctionName,
    version: string = LATEST,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<FunctionRecord | undefined> {
    const row = await selected(db)
      .where('f.namespace', '=', name.namespace)
      .where('f.function_name', '=', name.functionName)
      .where('v.version', '=', version)
      .executeTakeFirst();
    return row && recordOf(row);
  }

  /** Like `find`, and keeps every other change of the function waiting until the transaction ends. */
  async lock(tx: Kysely<RegistrySchema>, name: FunctionName): Promise<FunctionRecord | undefined> {
    await tx
      .selectFrom('functions')
      .select('function_id')
      .where('namespace', '=', name.namespace)
      .where('function_name', '=', name.functionName)
      .forUpdate()
      .execute();
    return this.find(name, LATEST, tx);
  }

  /** The names of the namespace's functions, sorted. */
  async names(namespace: string): Promise<string[]> {
    const rows = await this.database.kysely
      .selectFrom('functions')
      .select('function_name')
      .where('namespace', '=', namespace)
      .orderBy('function_name')
      .execute();
    return rows.map((row) => row.function_name);
  }

  /** Keeps other creations in the namespace waiting, and says how many functions it has. */
  async lockNamespace(tx: Kysely<RegistrySchema>, namespace: string): Promise<number> {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`namespace/${namespace}`}, 0))`.execute(tx);
    const row = await tx
      .selectFrom('functions')
      .select((e) => e.fn.countAll<string>().as('count'))
      .where('namespace', '=', namespace)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Grows with every call, over all functions and triggers. */
  async nextRevision(tx: Kysely<RegistrySchema>): Promise<number> {
    const { rows } = await sql<{ revision: string }>`SELECT nextval('revisions') AS revision`.execute(tx);
    return Number(rows[0]?.revision);
  }

  /** A new function with its one version. */
  async insert(tx: Kysely<RegistrySchema>, record: FunctionRecord): Promise<void> {
    await tx
      .insertInto('functions')
      .values({
        function_id: record.functionId,
        namespace: record.namespace,
        function_name: record.functionName,
        type: record.type,
        created_at: record.createdAt,
      })
      .execute();
    await this.insertVersion(tx, record);
  }

  async insertVersion(tx: Kysely<RegistrySchema>, record: FunctionRecord): Promise<void> {
    await tx
      .insertInto('function_versions')
      .values({ function_id: record.functionId, version: record.version, ...versionColumns(record) })
      .execute();
    await this.bindLayers(tx, record);
  }

  async update(tx: Kysely<RegistrySchema>, record: FunctionRecord): Promise<void> {
    await tx
      .updateTable('function_versions')
      .set(versionColumns(record))
      .where('function_id', '=', record.functionId)
      .where('version', '=', record.version)
      .execute();
    await tx
      .deleteFrom('function_layers')
      .where('function_id', '=', record.functionId)
      .where('version', '=', record.version)
      .execute();
    await this.bindLayers(tx, record);
  }

  /** Every version, $LATEST too. */
  async versions(
    functionId: string,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<FunctionRecord[]> {
    return (await selected(db).where('f.function_id', '=', functionId).execute()).map(recordOf);
  }

  async hasVersion(db: Kysely<RegistrySchema>, functionId: string, version: string): Promise<boolean> {
    const row = await db
      .selectFrom('function_versions')
      .select('version')
      .where('function_id', '=', functionId)
      .where('version', '=', version)
      .executeTakeFirst();
    return row !== undefined;
  }

  async countPublished(tx: Kysely<RegistrySchema>, functionId: string): Promise<number> {
    const row = await tx
      .selectFrom('function_versions')
      .select((e) => e.fn.countAll<string>().as('count'))
      .where('function_id', '=', functionId)
      .where('version', '<>', LATEST)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** The number of the version that is published next. It is never given again, also when that version is deleted. */
  async nextVersion(tx: Kysely<RegistrySchema>, functionId: string): Promise<string> {
    const row = await tx
      .updateTable('functions')
      .set({ last_version: sql<number>`last_version + 1` })
      .where('function_id', '=', functionId)
      .returning('last_version')
      .executeTakeFirstOrThrow();
    return String(row.last_version);
  }

  async deleteVersion(tx: Kysely<RegistrySchema>, functionId: string, version: string): Promise<void> {
    await tx
      .deleteFrom('function_versions')
      .where('function_id', '=', functionId)
      .where('version', '=', version)
      .execute();
  }

  private async bindLayers(tx: Kysely<RegistrySchema>, record: FunctionRecord): Promise<void> {
    if (record.layers.length === 0) return;
    const rows = record.layers.map(({ layerName, layerVersion, sha256 }, position) => ({
      function_id: record.functionId,
      version: record.version,
      position,
      layer_name: layerName,
      layer_version: layerVersion,
      package_sha256: sha256,
    }));
    await tx.insertInto('function_layers').values(rows).execute();
  }

  /** Removes the function with its versions and triggers. */
  async delete(tx: Kysely<RegistrySchema>, functionId: string): Promise<void> {
    await tx.deleteFrom('functions').where('function_id', '=', functionId).execute();
  }

  async list(query: FunctionListQuery): Promise<{ records: FunctionRecord[]; total: number }> {
    const counted = await joined(this.database.kysely)
      .where(condition(query))
      .select((e) => e.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow();
    const rows = await selected(this.database.kysely)
      .where(condition(query))
      .orderBy(ORDER_COLUMNS[query.orderBy], query.descending ? 'desc' : 'asc')
      .orderBy('f.function_id')
      .offset(query.offset)
      .limit(query.limit)
      .execute();
    return { records: rows.map(recordOf), total: Number(counted.count) };
  }

  async all(tx: Kysely<RegistrySchema>): Promise<FunctionRecord[]> {
    return (await selected(tx).execute()).map(recordOf);
  }
}
