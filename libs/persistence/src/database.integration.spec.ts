import { UnavailableError } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { addressOf, eventually, sharedParts, startOwnParts, uniqueName } from '@openscf/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Database, isUniqueViolation, sql, type Migration } from './index.js';

interface Tables {
  thing: { id: string; count: number };
}

const first: Migration = {
  up: async (db) => {
    await sql`create table thing (id text constraint thing_pk primary key, count integer not null)`.execute(
      db,
    );
  },
};
const second: Migration = {
  up: async (db) => {
    await sql`insert into thing values ('first', 0)`.execute(db);
  },
};
const migrations = { '0001-thing': first, '0002-first-thing': second };

const open: Database<Tables>[] = [];

function newDatabase(
  schema: string,
  url = sharedParts().postgresUrl,
  more: Record<string, Migration> = {},
): Database<Tables> {
  const database = new Database<Tables>({
    url,
    schema,
    migrations: { ...migrations, ...more },
    logger: silentLogger(),
  });
  open.push(database);
  return database;
}

function newSchema(): string {
  return uniqueName('spec').replaceAll('-', '_');
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((database) => database.close()));
});

describe('Database', () => {
  it('makes its schema and migrates once, also when several processes start at the same time', async () => {
    const schema = newSchema();
    const databases = [newDatabase(schema), newDatabase(schema), newDatabase(schema)];
    await Promise.all(databases.map((database) => database.prepare()));
    const rows = await databases[0]?.kysely.selectFrom('thing').selectAll().execute();
    expect(rows).toEqual([{ id: 'first', count: 0 }]);
  });

  it('keeps two schemas apart', async () => {
    const [one, other] = [newDatabase(newSchema()), newDatabase(newSchema())];
    await Promise.all([one.prepare(), other.prepare()]);
    await one.kysely.insertInto('thing').values({ id: 'mine', count: 1 }).execute();
    const found = await other.kysely.selectFrom('thing').selectAll().where('id', '=', 'mine').execute();
    expect(found).toEqual([]);
  });

  it('stops at a migration that is wrong', async () => {
    const broken: Migration = { up: async (db) => void (await sql`select from nowhere_at_all`.execute(db)) };
    await expect(newDatabase(newSchema(), undefined, { '0003-broken': broken }).prepare()).rejects.toThrow(
      'nowhere_at_all',
    );
  });

  it('rolls a transaction back as a whole, and tells a broken constraint by its name', async () => {
    const database = newDatabase(newSchema());
    await database.prepare();
    const outcome = await database
      .transaction(async (trx) => {
        await trx.insertInto('thing').values({ id: 'second', count: 1 }).execute();
        await trx.insertInto('thing').values({ id: 'first', count: 1 }).execute();
      })
      .catch((error: unknown) => error);
    expect(isUniqueViolation(outcome, 'thing_pk')).toBe(true);
    expect(isUniqueViolation(outcome, 'another')).toBe(false);
    expect(await database.kysely.selectFrom('thing').selectAll().execute()).toHaveLength(1);
  });

  it('refuses a schema name that is none', () => {
    expect(() => newDatabase('drop table')).toThrow('schema is "drop table"; it accepts');
  });

  it('fails soon while PostgreSQL is away, and works again by itself', async () => {
    const parts = await startOwnParts(['postgres']);
    try {
      const database = newDatabase('spec', addressOf(parts).postgresUrl);
      await database.prepare();
      const count = () => database.kysely.selectFrom('thing').selectAll().execute();
      await count();

      await parts.stopOne('postgres');
      const startedAt = Date.now();
      await expect(count()).rejects.toThrow(UnavailableError);
      await expect(
        database.transaction((trx) => trx.selectFrom('thing').selectAll().execute()),
      ).rejects.toThrow(UnavailableError);
      expect(Date.now() - startedAt).toBeLessThan(5_000);
      expect(await database.isReachable()).toBe(false);

      const waiting = newDatabase('later', addressOf(parts).postgresUrl);
      const prepared = waiting.prepare();
      await parts.startAgain('postgres');
      await prepared;
      expect(await count()).toHaveLength(1);

      parts.kill('postgres');
      await eventually(async () => (await count()).length === 1, { timeoutMs: 30_000 });
      await database.close();
      await waiting.close();
    } finally {
      await parts.stop();
    }
  });

  it('turns a session that the server ends in the middle into UnavailableError', async () => {
    const database = newDatabase(newSchema());
    await database.prepare();
    const outcome = database.transaction(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(database.kysely);
      await trx.selectFrom('thing').selectAll().execute();
    });
    await expect(outcome).rejects.toThrow(UnavailableError);
    expect(await database.kysely.selectFrom('thing').selectAll().execute()).toHaveLength(1);
  });
});
