import { sql } from '@openscf/persistence';
import { piecesOf, POOLED, type LineField, type PlatformLine } from '@openscf/scf-api';

type Sql = ReturnType<typeof sql.join>;

/**
 * The platform's lines of an invocation as an array in SQL, made of the same texts as `openingLines` and `closingLines`; an
 * integration test holds the two together. A search runs in the database, so that TotalCount, Offset and Limit are right
 * without reading a day of invocations into the service.
 */
export function platformLinesSql(table: string): Sql {
  const of = (column: string): Sql => sql`${sql.ref(`${table}.${column}`)}`;
  const cold = (name: string): Sql => sql`(${of('cold_start')}::json->>${sql.lit(name)})::float8`;
  const megabytes = (bytes: Sql): Sql => sql`round((${bytes})::numeric / 1048576, 2)`;
  const tenths = (ms: Sql): Sql => sql`round((${ms})::numeric, 1)`;
  const coldText = (name: string): Sql => sql`(${of('cold_start')}::json->>${sql.lit(name)})`;
  const fields: Record<LineField, Sql> = {
    requestId: of('request_id'),
    coldStartMs: sql`ceil(${cold('totalMs')})`,
    pullCodeMs: sql`ceil(${cold('pullCodeMs')})`,
    initRuntimeMs: sql`ceil(${cold('initRuntimeMs')})`,
    initFunctionMs: sql`ceil(${cold('initFunctionMs')})`,
    initMemoryUsedMb: megabytes(cold('memoryBytes')),
    droppedLines: of('dropped_lines'),
    result: of('result'),
    durationMs: sql`ceil(${of('duration_ms')})`,
    memoryMb: of('memory_mb'),
    memoryUsedMb: megabytes(of('memory_bytes')),
    queuedMs: tenths(of('queued_ms')),
    placedMs: tenths(of('placed_ms')),
    codeMs: tenths(cold('pullCodeMs')),
    // Records of before they had these fields.
    sandboxMs: tenths(sql`coalesce(${cold('sandboxMs')}, 0)`),
    runtimeMs: tenths(cold('initRuntimeMs')),
    initMs: tenths(cold('initFunctionMs')),
    runMs: tenths(of('duration_ms')),
    coldReason: sql`concat(${coldText('reason')}, case when ${coldText('pooled')} = 'true' then ${sql.lit(POOLED)} end)`,
  };
  const line = (name: PlatformLine): Sql => {
    const pieces = piecesOf(name).map((piece, index) =>
      index % 2 === 0 ? sql`${sql.lit(piece)}` : fields[piece as LineField],
    );
    return sql`concat(${sql.join(pieces)})`;
  };
  const lineWhen = (condition: Sql, name: PlatformLine): Sql =>
    sql`case when ${condition} then ${line(name)} end`;
  return sql`array[${sql.join([
    line('start'),
    lineWhen(sql`${of('cold_start')} is not null`, 'initReport'),
    lineWhen(sql`${of('dropped_lines')} > 0`, 'cut'),
    lineWhen(sql`${of('status_code')} <> 200`, 'error'),
    line('response'),
    line('end'),
    line('report'),
    lineWhen(sql`${of('cold_start')} is null`, 'warmReceipt'),
    lineWhen(sql`${of('cold_start')} is not null`, 'coldReceipt'),
  ])}]`;
}
