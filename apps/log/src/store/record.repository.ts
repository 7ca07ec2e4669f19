import type { InvocationRecord, LogLines } from '@openscf/contracts';
import type { Database } from '@openscf/persistence';
import { insertOf, valuesOf, type Column } from './bulk-insert.policy.js';
import type { LogTables } from './log.schema.js';
import { daysOf, keptAt } from './partition.policy.js';
import type { Partitions } from './partitions.service.js';
import { storableText } from './storable-text.policy.js';

/** Rows of one statement; more go in several, so that none is slow. */
const ROWS_PER_INSERT = 2_000;

interface PrintedLine {
  readonly requestId: string;
  readonly retryNum: number;
  readonly seq: number;
  readonly at: number;
  readonly text: string;
}

const RECORD_COLUMNS: readonly Column<InvocationRecord>[] = [
  { name: 'request_id', type: 'text', of: (record) => record.requestId },
  { name: 'retry_num', type: 'integer', of: (record) => record.retryNum },
  { name: 'namespace', type: 'text', of: (record) => record.namespace },
  { name: 'function_name', type: 'text', of: (record) => record.functionName },
  { name: 'version', type: 'text', of: (record) => record.version },
  { name: 'qualifier', type: 'text', of: (record) => record.qualifier },
  { name: 'app_id', type: 'text', of: (record) => record.appId },
  { name: 'source', type: 'text', of: (record) => record.source },
  { name: 'invocation_type', type: 'text', of: (record) => record.invocationType },
  { name: 'started_at', type: 'milliseconds', of: (record) => record.startedAt },
  { name: 'queued_ms', type: 'double precision', of: (record) => record.queuedMs },
  { name: 'placed_ms', type: 'double precision', of: (record) => record.placedMs },
  { name: 'duration_ms', type: 'double precision', of: (record) => record.durationMs },
  { name: 'billed_ms', type: 'bigint', of: (record) => record.billedMs },
  { name: 'memory_bytes', type: 'bigint', of: (record) => record.memoryBytes },
  { name: 'memory_mb', type: 'integer', of: (record) => record.memoryMb },
  { name: 'status_code', type: 'integer', of: (record) => record.statusCode },
  { name: 'result', type: 'text', of: (record) => storableText(record.result) },
  { name: 'cold_start', type: 'text', of: ({ coldStart }) => (coldStart ? JSON.stringify(coldStart) : null) },
  { name: 'dropped_lines', type: 'integer', of: (record) => record.droppedLines },
  { name: 'printed_lines', type: 'integer', of: (record) => record.printedLines },
  { name: 'invoker_id', type: 'text', of: (record) => record.invokerId },
  { name: 'trace_id', type: 'text', of: (record) => record.traceId ?? null },
];
const LINE_COLUMNS: readonly Column<PrintedLine>[] = [
  { name: 'request_id', type: 'text', of: (line) => line.requestId },
  { name: 'retry_num', type: 'integer', of: (line) => line.retryNum },
  { name: 'seq', type: 'integer', of: (line) => line.seq },
  { name: 'at', type: 'milliseconds', of: (line) => line.at },
  { name: 'text', type: 'text', of: (line) => storableText(line.text) },
];
const INSERT_RECORDS = insertOf('invocations', RECORD_COLUMNS);
const INSERT_LINES = insertOf('log_lines', LINE_COLUMNS);

/** Keeps records and lines. What is there already stays as it is, so a batch may be written again. */
export class RecordRepository {
  constructor(
    private readonly database: Database<LogTables>,
    private readonly partitions: Partitions,
  ) {}

  /** Keeps the records that are younger than the retention. */
  async insertInvocations(records: readonly InvocationRecord[]): Promise<void> {
    const { retentionDays } = this.partitions;
    const now = Date.now();
    const kept: InvocationRecord[] = [];
    for (const record of records) {
      const startedAt = keptAt(record.startedAt, retentionDays, now);
      if (startedAt !== undefined)
        kept.push(startedAt === record.startedAt ? record : { ...record, startedAt });
    }
    await this.partitions.ensure(daysOf(kept.map(({ startedAt }) => startedAt)));
    for (const part of parts(kept))
      await this.database.runPrepared(INSERT_RECORDS, valuesOf(RECORD_COLUMNS, part));
  }

  /** Keeps the lines that are younger than the retention. */
  async insertLines(printed: readonly LogLines[]): Promise<void> {
    const { retentionDays } = this.partitions;
    const now = Date.now();
    const kept: PrintedLine[] = [];
    for (const { requestId, retryNum, firstSeq, lines } of printed) {
      lines.forEach(({ at: printedAt, text }, index) => {
        const at = keptAt(printedAt, retentionDays, now);
        if (at !== undefined) kept.push({ requestId, retryNum, seq: firstSeq + index, at, text });
      });
    }
    await this.partitions.ensure(daysOf(kept.map(({ at }) => at)));
    for (const part of parts(kept))
      await this.database.runPrepared(INSERT_LINES, valuesOf(LINE_COLUMNS, part));
  }
}

function parts<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let from = 0; from < items.length; from += ROWS_PER_INSERT)
    result.push(items.slice(from, from + ROWS_PER_INSERT));
  return result;
}
