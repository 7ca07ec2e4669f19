import { waitForPart, type Logger } from '@openscf/telemetry';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type { Migration } from 'kysely/migration';
import pg from 'pg';
import { mappedPool } from './mapped-pool.js';
import { migrate } from './migrate.js';
import { isUnavailable, mapDatabaseError } from './persistence.errors.js';

export interface DatabaseOptions {
  readonly url: string;
  /** The app's own schema; every unqualified table name means it. */
  readonly schema: string;
  /** By name; they run once, in the order of their names. */
  readonly migrations: Readonly<Record<string, Migration>>;
  readonly logger: Logger;
  /** Connections kept; 10 unless told. */
  readonly maxConnections?: number;
}

export interface PreparedStatement {
  /** One name, one text. */
  readonly name: string;
  readonly text: string;
}

const CONNECT_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** Longer than the server's own limit: it only fires when the connection is dead without a word. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * One app's tables. Every query and transaction throws UnavailableError when PostgreSQL is away, at the latest after the time-outs
 * above, and works again by itself once PostgreSQL is back.
 */
export class Database<Schema> {
  readonly pool: pg.Pool;
  readonly kysely: Kysely<Schema>;
  private readonly closing = new AbortController();

  constructor(private readonly options: DatabaseOptions) {
    if (!/^[a-z][a-z0-9_]*$/.test(options.schema)) {
      throw new TypeError(`schema is "${options.schema}"; it accepts lower-case letters, digits and _`);
    }
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections ?? 10,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 30_000,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
      application_name: `openscf-${options.schema}`,
      options: `-c search_path=${options.schema}`,
    });
    // A connection that breaks (PostgreSQL restarts) ends the process unless somebody listens: the pool does so for idle ones, and
    // only we can for one that is lent out and between two statements of a transaction. Its next statement fails then.
    this.pool.on('error', (error) => options.logger.warn({ error }, 'idle PostgreSQL connection lost'));
    this.pool.on('connect', (client) => client.on('error', () => undefined));
    this.kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: mappedPool(this.pool) }) });
  }

  /** Makes the schema and runs the migrations; waits for PostgreSQL as long as it takes. @throws what a migration threw */
  async prepare(): Promise<void> {
    const { schema, migrations, logger } = this.options;
    await waitForPart('PostgreSQL', () => migrate(this.kysely, schema, migrations), {
      logger,
      isAway: isUnavailable,
      signal: this.closing.signal,
    });
  }

  /**
   * All or nothing. After UnavailableError from the commit itself it is unknown whether it was kept, so make `fn` idempotent.
   */
  async transaction<T>(fn: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    try {
      return await this.kysely.transaction().execute(fn);
    } catch (error) {
      throw mapDatabaseError(error);
    }
  }

  /** Runs a statement that each connection parses and plans once, known by its name. @throws UnavailableError */
  async runPrepared(statement: PreparedStatement, values: readonly unknown[]): Promise<void> {
    try {
      await this.pool.query({ name: statement.name, text: statement.text, values: [...values] });
    } catch (error) {
      throw mapDatabaseError(error);
    }
  }

  /** For readiness: true when PostgreSQL answers. */
  async isReachable(): Promise<boolean> {
    try {
      await this.pool.query('select 1');
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    await this.pool.end();
  }
}
