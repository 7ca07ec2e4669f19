import type { InvocationRecord } from '@openscf/contracts';
import {
  closingLines,
  formatDateTime,
  openingLines,
  type FunctionLog,
  type LoggedAttempt,
  type RequestStatus,
} from '@openscf/scf-api';
import type { InvocationRow } from '../store/log.schema.js';
import type { AttemptLog } from './invocation.repository.js';

type ShownLog = Omit<AttemptLog, 'printedLines'>;

/** An answer rides on Kafka, whose records are at most 1 MB; what is over this stays for the next page. */
export const ANSWER_BYTES = 700_000;
const BYTES_PER_MB = 1_048_576;
const SUCCESS = 200;
/** FunctionLog.RetCode: 0 done, 2 running, 3 aborted, anything else failed. RequestStatus.RetCode: 0 done, 1 running, -1 failed. */
const LOG_FAILED = 1;
const STATUS_FAILED = -1;
const CUT = '\n[the rest of this log is not shown]';

export function functionLog(attempt: ShownLog): FunctionLog {
  const { invocation } = attempt;
  return {
    FunctionName: invocation.function_name,
    RetMsg: invocation.result,
    RequestId: invocation.request_id,
    StartTime: formatDateTime(invocation.started_at.getTime()),
    RetCode: invocation.status_code === SUCCESS ? 0 : LOG_FAILED,
    InvokeFinished: 1,
    Duration: invocation.duration_ms,
    BillDuration: Number(invocation.billed_ms),
    MemUsage: Number(invocation.memory_bytes),
    Log: wholeLog(attempt),
    Level: '',
    Source: '',
    RetryNum: invocation.retry_num,
  };
}

/** What was printed between the platform's lines. */
function wholeLog({ invocation, printed, printedCut }: ShownLog): string {
  const attempt = loggedAttempt(invocation);
  const lines = openingLines(attempt);
  if (printed !== undefined) lines.push(printed);
  if (printedCut) return lines.join('\n') + CUT;
  return [...lines, ...closingLines(attempt)].join('\n');
}

function loggedAttempt(row: InvocationRow): LoggedAttempt {
  return {
    requestId: row.request_id,
    queuedMs: row.queued_ms,
    placedMs: row.placed_ms,
    durationMs: row.duration_ms,
    memoryMb: row.memory_mb,
    memoryBytes: Number(row.memory_bytes),
    statusCode: row.status_code,
    result: row.result,
    droppedLines: row.dropped_lines,
    ...(row.cold_start !== null && {
      coldStart: JSON.parse(row.cold_start) as InvocationRecord['coldStart'],
    }),
  };
}

export function requestStatus(invocation: InvocationRow): RequestStatus {
  return {
    FunctionName: invocation.function_name,
    RetMsg: invocation.result,
    RequestId: invocation.request_id,
    StartTime: formatDateTime(invocation.started_at.getTime()),
    RetCode: invocation.status_code === SUCCESS ? 0 : STATUS_FAILED,
    Duration: invocation.duration_ms,
    MemUsage: Number(invocation.memory_bytes) / BYTES_PER_MB,
    RetryNum: invocation.retry_num,
  };
}

/** Collects the beginning of a list as far as one answer carries it, at least one; a log too long for that alone is cut. */
export class FittingLogs {
  readonly logs: FunctionLog[] = [];
  private leftBytes = ANSWER_BYTES;

  /** False when the log did not fit: it and what follows stay for the next page. */
  add(log: FunctionLog): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(log));
    if (bytes > this.leftBytes && this.logs.length > 0) return false;
    this.logs.push(bytes > this.leftBytes ? cutTo(log, this.leftBytes, bytes) : log);
    this.leftBytes -= bytes;
    return true;
  }
}

/** Keeps the share of the log's characters that fits; an escaped character is at most six bytes longer than it looks. */
function cutTo(log: FunctionLog, leftBytes: number, bytes: number): FunctionLog {
  const characters = Math.floor((log.Log.length * leftBytes) / bytes / 2);
  return { ...log, Log: log.Log.slice(0, characters) + CUT };
}
