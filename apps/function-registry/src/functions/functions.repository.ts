import { Inject, Injectable } from '@nestjs/common';
import { functionStateSchema, LATEST } from '@openscf/contracts';
import { Database, sql, type Kysely } from '@openscf/persistence';
import type { FunctionVersionTable, RegistrySchema } from '../database/registry.schema.js';
import type { FunctionListQuery, FunctionName, FunctionRecord } from './function.types.js';

const ORDER_COLUMNS = {
  createdAt: 'v.created_at',
  modifiedAt: 'v.modified_at',
  functionName: 'f.function_name',
} as const;
const FILTER_COLUMNS = { status: 'v.status', runtime: 'v.runtime', type: 'f.type' } as const;

function joined(db: Kysely<RegistrySchema>) {
  return db
    .selectFrom('functions as f')
    .innerJoin('function_versions as v', 'v.function_id', 'f.function_id')
    .innerJoin('packages as p', 'p.sha256', 'v.package_sha256');
}

function selected(db: Kysely<RegistrySchema>) {
  return joined(db)
    .selectAll('v')
    .select(['f.namespace', 'f.function_name', 'f.type', 'p.sha256', 'p.size_bytes', 'p.object_key']);
}
type Row = Awaited<ReturnType<ReturnType<typeof selected>['execute']>>[number];

function recordOf(row: Row): FunctionRecord {
  const state = functionStateSchema.parse({
    functionId: row.function_id,
    namespace: row.namespace,
    functionName: row.function_name,
    version: row.version,
    revision: Number(row.revision),
    type: row.type,
    status: row.status,
    statusReason: row.status_reason,
    runtime: row.runtime,
    handler: row.handler,
    memoryMb: row.memory_mb,
    timeoutMs: row.timeout_ms,
    initTimeoutMs: row.init_timeout_ms,
    environment: row.environment,
    publicNetwork: row.public_network,
    code: { sha256: row.sha256, sizeBytes: Number(row.size_bytes), objectKey: row.object_key },
  });
  return {
    ...state,
    description: row.description,
    role: row.role,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

function versionColumns(record: FunctionRecord) {
  return {
    revision: record.revision,
    status: record.status,
    status_reason: record.statusReason,
    runtime: record.runtime,
    handler: record.handler,
    memory_mb: record.memoryMb,
    timeout_ms: record.timeoutMs,
    init_timeout_ms: record.initTimeoutMs,
    environment: JSON.stringify(record.environment),
    public_network: record.publicNetwork,
    description: record.description,
    role: record.role,
    package_sha256: record.code.sha256,
    created_at: record.createdAt,
    modified_at: record.modifiedAt,
  } satisfies Partial<Record<keyof FunctionVersionTable, unknown>>;
}

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

  async find(name: FunctionName, version: string = LATEST): Promise<FunctionRecord | undefined> {
    const row = await selected(this.database.kysely)
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
    const row = await selected(tx)
      .where('f.namespace', '=', name.namespace)
      .where('f.function_name', '=', name.functionName)
      .where('v.version', '=', LATEST)
      .executeTakeFirst();
    return row && recordOf(row);
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
    await tx
      .insertInto('function_versions')
      .values({ function_id: record.functionId, version: record.version, ...versionColumns(record) })
      .execute();
  }

  async update(tx: Kysely<RegistrySchema>, record: FunctionRecord): Promise<void> {
    await tx
      .updateTable('function_versions')
      .set(versionColumns(record))
      .where('function_id', '=', record.functionId)
      .where('version', '=', record.version)
      .execute();
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
