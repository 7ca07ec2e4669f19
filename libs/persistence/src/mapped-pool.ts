import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { isUnavailable, mapDatabaseError } from './persistence.errors.js';

/** A client of the pool whose errors are mapped, and which is thrown away after a lost connection. */
class MappedClient implements PostgresPoolClient {
  private lost = false;

  constructor(private readonly client: PoolClient) {}

  query<R>(sql: string, parameters: ReadonlyArray<unknown>): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    statement: string | PostgresCursor<R>,
    parameters: ReadonlyArray<unknown> = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement !== 'string') throw new TypeError('cursors are not supported');
    return this.run(statement, parameters);
  }

  release(destroy?: boolean): void {
    this.client.release(destroy === true || this.lost);
  }

  private async run<R>(sql: string, parameters: ReadonlyArray<unknown>): Promise<PostgresQueryResult<R>> {
    try {
      return (await this.client.query(sql, [...parameters])) as unknown as PostgresQueryResult<R>;
    } catch (error) {
      if (isUnavailable(error)) this.lost = true;
      throw mapDatabaseError(error);
    }
  }
}

/** The pool as Kysely sees it: errors that say "PostgreSQL is away" come out as UnavailableError. */
export function mappedPool(pool: Pool): PostgresPool {
  return {
    options: pool.options,
    connect: async () => {
      try {
        return new MappedClient(await pool.connect());
      } catch (error) {
        throw mapDatabaseError(error);
      }
    },
    end: () => pool.end(),
  };
}
