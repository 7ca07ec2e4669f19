import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';

const UNIQUE_VIOLATION = '23505';
const DUPLICATE_SCHEMA = '42P06';

function isRace(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === UNIQUE_VIOLATION || error.code === DUPLICATE_SCHEMA)
  );
}

/** `create schema if not exists` still fails when two sessions run it at once; the other one has made it then. */
async function ensureSchema<S>(db: Kysely<S>, schema: string): Promise<void> {
  try {
    await sql`create schema if not exists ${sql.id(schema)}`.execute(db);
  } catch (error) {
    if (!isRace(error)) throw error;
  }
}

/** Runs the migrations that have not run yet; several processes may do it at once, one of them does the work. */
export async function migrate<S>(
  db: Kysely<S>,
  schema: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  await ensureSchema(db, schema);
  const migrator = new Migrator({
    db,
    migrationTableSchema: schema,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
