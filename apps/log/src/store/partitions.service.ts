import { sql, type Database } from '@openscf/persistence';
import type { Logger } from '@openscf/telemetry';
import type { LogTables } from './log.schema.js';
import { boundsOf, daysAhead, isOutdated, type Day } from './partition.policy.js';

const TABLES = ['invocations', 'log_lines'] as const;
const MAINTAIN_MS = 3_600_000;
const RETRY_MS = 30_000;
/** Any number; it names the lock under which partitions are made and dropped by one process at a time. */
const LOCK = 727_346_001;

/** Makes the daily partitions ahead and on demand, and drops those that are older than the retention. */
export class Partitions {
  private readonly known = new Set<Day>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly database: Database<LogTables>,
    readonly retentionDays: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setTimeout(() => void this.maintainAndWait(), 0);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Resolves when every day has its partitions. */
  async ensure(days: Iterable<Day>): Promise<void> {
    const missing = [...new Set(days)].filter((day) => !this.known.has(day));
    if (missing.length === 0) return;
    await this.database.transaction(async (trx) => {
      await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx);
      for (const day of missing) {
        const { from, to } = boundsOf(day);
        for (const table of TABLES) {
          await sql`
            create table if not exists ${sql.id(`${table}_${day}`)} partition of ${sql.id(table)}
            for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(trx);
        }
      }
    });
    for (const day of missing) this.known.add(day);
  }

  /** Makes what is needed soon and drops what is outdated. */
  async maintain(now: number): Promise<void> {
    await this.ensure(daysAhead(now));
    for (const { table, day } of await this.list()) {
      if (!isOutdated(day, this.retentionDays, now)) continue;
      await sql`drop table if exists ${sql.id(`${table}_${day}`)}`.execute(this.database.kysely);
      this.known.delete(day);
      this.logger.info({ table, day }, 'partition dropped');
    }
  }

  async list(): Promise<{ table: string; day: Day }[]> {
    const { rows } = await sql<{ parent: string; child: string }>`
      select p.relname as parent, c.relname as child
      from pg_inherits i
      join pg_class p on p.oid = i.inhparent
      join pg_class c on c.oid = i.inhrelid
      where p.relnamespace = current_schema()::regnamespace and p.relkind = 'p'
      order by c.relname`.execute(this.database.kysely);
    return rows.map(({ parent, child }) => ({ table: parent, day: child.slice(parent.length + 1) }));
  }

  private async maintainAndWait(): Promise<void> {
    let waitMs = MAINTAIN_MS;
    try {
      await this.maintain(Date.now());
    } catch (error) {
      this.logger.warn({ error }, 'partitions cannot be maintained');
      waitMs = RETRY_MS;
    }
    if (!this.stopped) this.timer = setTimeout(() => void this.maintainAndWait(), waitMs);
  }
}
