import { sql, type Database } from '@openscf/persistence';
import type { InvocationRow, LogTables } from '../store/log.schema.js';
import type { LogCriteria, Page } from './log-criteria.policy.js';
import { platformLinesSql } from './platform-lines.repository.js';

/** A log longer than this is cut where it is read, so that one function cannot fill the memory of the service. */
export const LOG_CHARACTERS = 262_144;
/** Lines of an attempt may be older than its start, by its initialization, and younger, by its time. */
const LINES_BEFORE_MS = 600_000;
const LINES_AFTER_MS = 90_000_000;

type Sql = ReturnType<typeof sql.join>;

/** An attempt and what it printed. */
export interface AttemptLog {
  readonly invocation: InvocationRow;
  /** Its lines, cut to `LOG_CHARACTERS`; undefined when there are none. */
  readonly printed: string | undefined;
  readonly printedCut: boolean;
  /** How many of the lines that belong to it are here. */
  readonly printedLines: number;
}

/** Finds invocations and what they printed. */
export class InvocationRepository {
  constructor(private readonly database: Database<LogTables>) {}

  async count(criteria: LogCriteria): Promise<number> {
    const { rows } = await sql<{ count: string }>`
      select count(*) as count from invocations i where ${condition(criteria)}`.execute(this.database.kysely);
    return Number(rows[0]?.count ?? 0);
  }

  async find(criteria: LogCriteria, page: Page): Promise<InvocationRow[]> {
    const order = sql.raw(page.order === 'asc' ? 'asc' : 'desc');
    const { rows } = await sql<InvocationRow>`
      select i.* from invocations i where ${condition(criteria)}
      order by ${sql.ref(`i.${page.sortBy}`)} ${order}, i.started_at ${order}, i.request_id ${order}, i.retry_num ${order}
      limit ${page.limit} offset ${page.offset}`.execute(this.database.kysely);
    return rows;
  }

  /** The invocations with what they printed, in the same order. */
  async withLogs(invocations: readonly InvocationRow[]): Promise<AttemptLog[]> {
    if (invocations.length === 0) return [];
    const starts = invocations.map((invocation) => invocation.started_at.getTime());
    const from = new Date(Math.min(...starts) - LINES_BEFORE_MS);
    const until = new Date(Math.max(...starts) + LINES_AFTER_MS);
    const { rows } = await sql<{
      request_id: string;
      retry_num: number;
      log: string;
      length: string;
      lines: string;
    }>`
      select request_id, retry_num, left(log, ${LOG_CHARACTERS}) as log, length(log) as length, lines
      from (
        select l.request_id, l.retry_num, string_agg(l.text, E'\n' order by l.seq) as log, count(*) as lines
        from log_lines l
        where l.request_id = any(${invocations.map((invocation) => invocation.request_id)}::text[])
          and l.at >= ${from} and l.at < ${until}
        group by l.request_id, l.retry_num
      ) logs`.execute(this.database.kysely);
    const logs = new Map(rows.map((row) => [attemptKey(row), row]));
    return invocations.map((invocation) => {
      const found = logs.get(attemptKey(invocation));
      const printedCut = Number(found?.length ?? 0) > LOG_CHARACTERS;
      return { invocation, printed: found?.log, printedCut, printedLines: Number(found?.lines ?? 0) };
    });
  }
}

function condition(criteria: LogCriteria): Sql {
  const { functionName, qualifier, requestId, status, from, until } = criteria;
  const all: Sql[] = [sql`i.namespace = ${criteria.namespace}`];
  if (functionName !== undefined) all.push(sql`i.function_name = ${functionName}`);
  if (qualifier !== undefined) all.push(sql`(i.qualifier = ${qualifier} or i.version = ${qualifier})`);
  if (requestId !== undefined) all.push(sql`i.request_id = ${requestId}`);
  if (from !== undefined) all.push(sql`i.started_at >= ${new Date(from)}`);
  if (until !== undefined) all.push(sql`i.started_at < ${new Date(until)}`);
  if (status.kind === 'succeeded') all.push(sql`i.status_code = 200`);
  if (status.kind === 'failed') all.push(sql`i.status_code <> 200`);
  if (status.kind === 'codes') all.push(sql`i.status_code = any(${[...status.codes]}::int[])`);
  const line = lineCondition(criteria);
  if (line !== undefined) all.push(line);
  return sql.join(all, sql` and `);
}

/** Printed lines are looked for where they are stored, the platform's in what SQL makes of the invocation. */
function lineCondition({ keyword, lineType }: LogCriteria): Sql | undefined {
  if (keyword === undefined) return undefined;
  const printed = sql`exists (
    select from log_lines l
    where l.request_id = i.request_id and l.retry_num = i.retry_num
      and position(lower(${keyword}) in lower(l.text)) > 0)`;
  const platform = sql`exists (
    select from unnest(${platformLinesSql('i')}) as line where position(lower(${keyword}) in lower(line)) > 0)`;
  if (lineType === 'Custom') return printed;
  return lineType === 'Platform' ? platform : sql`(${platform} or ${printed})`;
}

function attemptKey(attempt: { request_id: string; retry_num: number }): string {
  return `${attempt.request_id}/${attempt.retry_num}`;
}
