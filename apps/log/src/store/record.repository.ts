import type { InvocationRecord, LogLines } from '@openscf/contracts';
import { sql, type Database } from '@openscf/persistence';
import type { LogTables } from './log.schema.js';
import { dayOf, keptAt } from './partition.policy.js';
import type { Partitions } from './partitions.service.js';
import { storableText } from './storable-text.policy.js';

/** Rows of one statement; more go in several, so that none is slow. */
const ROWS_PER_INSERT = 5_000;

type Columns<K extends string> = Record<K, unknown[]>;

/** Keeps records and lines. What is there already stays as it is, so a batch may be written again. */
export class RecordRepository {
  constructor(
    private readonly database: Database<LogTables>,
    private readonly partitions: Partitions,
  ) {}

  /** Keeps the records that are younger than the retention. */
  async insertInvocations(records: readonly InvocationRecord[]): Promise<void> {
    const kept = this.dated(records, (record) => record.startedAt);
    await this.partitions.ensure(kept.map(({ at }) => dayOf(at.getTime())));
    for (const part of parts(kept)) {
      await this.insertRecords(
        part.map(({ item, at }) => ({
          requestId: item.requestId,
          retryNum: item.retryNum,
          namespace: item.namespace,
          functionName: item.functionName,
          version: item.version,
          qualifier: item.qualifier,
          appId: item.appId,
          source: item.source,
          invocationType: item.invocationType,
          startedAt: at,
          durationMs: item.durationMs,
          billedMs: item.billedMs,
          memoryBytes: item.memoryBytes,
          memoryMb: item.memoryMb,
          statusCode: item.statusCode,
          result: storableText(item.result),
          coldStart: item.coldStart === undefined ? null : JSON.stringify(item.coldStart),
          invokerId: item.invokerId,
          traceId: item.traceId ?? null,
        })),
      );
    }
  }

  /** Keeps the lines that are younger than the retention. */
  async insertLines(records: readonly LogLines[]): Promise<void> {
    const lines = records.flatMap((record) => record.lines.map((line) => ({ record, line })));
    const kept = this.dated(lines, ({ line }) => line.at);
    await this.partitions.ensure(kept.map(({ at }) => dayOf(at.getTime())));
    for (const part of parts(kept)) {
      const c = columns(
        part.map(({ item: { record, line }, at }) => ({
          requestId: record.requestId,
          retryNum: record.retryNum,
          seq: line.seq,
          at,
          level: line.level,
          type: line.type,
          text: storableText(line.text),
        })),
      );
      await sql`
        insert into log_lines (request_id, retry_num, seq, at, level, type, text)
        select * from unnest(
          ${c.requestId}::text[], ${c.retryNum}::int[], ${c.seq}::int[], ${c.at}::timestamptz[],
          ${c.level}::text[], ${c.type}::text[], ${c.text}::text[])
        on conflict do nothing`.execute(this.database.kysely);
    }
  }

  private async insertRecords(rows: readonly Record<InvocationColumn, unknown>[]): Promise<void> {
    const c = columns(rows);
    await sql`
      insert into invocations (
        request_id, retry_num, namespace, function_name, version, qualifier, app_id, source, invocation_type,
        started_at, duration_ms, billed_ms, memory_bytes, memory_mb, status_code, result, cold_start, invoker_id, trace_id)
      select * from unnest(
        ${c.requestId}::text[], ${c.retryNum}::int[], ${c.namespace}::text[], ${c.functionName}::text[],
        ${c.version}::text[], ${c.qualifier}::text[], ${c.appId}::text[], ${c.source}::text[],
        ${c.invocationType}::text[], ${c.startedAt}::timestamptz[], ${c.durationMs}::float8[], ${c.billedMs}::int8[],
        ${c.memoryBytes}::int8[], ${c.memoryMb}::int[], ${c.statusCode}::int[], ${c.result}::text[],
        ${c.coldStart}::text[], ${c.invokerId}::text[], ${c.traceId}::text[])
      on conflict do nothing`.execute(this.database.kysely);
  }

  private dated<T>(items: readonly T[], timeOf: (item: T) => number): { item: T; at: Date }[] {
    const now = Date.now();
    return items.flatMap((item) => {
      const at = keptAt(timeOf(item), this.partitions.retentionDays, now);
      return at === undefined ? [] : [{ item, at }];
    });
  }
}

type InvocationColumn = keyof InvocationRecord;

/** Rows as one array per column. */
function columns<K extends string>(rows: readonly Record<K, unknown>[]): Columns<K> {
  const result: Partial<Columns<K>> = {};
  for (const name of Object.keys(rows[0] ?? {}) as K[]) result[name] = rows.map((row) => row[name]);
  return result as Columns<K>;
}

function parts<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let from = 0; from < items.length; from += ROWS_PER_INSERT)
    result.push(items.slice(from, from + ROWS_PER_INSERT));
  return result;
}
