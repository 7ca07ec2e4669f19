import type { InvocationRecord } from '@openscf/contracts';

/** What of an attempt its platform lines tell. */
export type LoggedAttempt = Pick<
  InvocationRecord,
  | 'requestId'
  | 'queuedMs'
  | 'placedMs'
  | 'durationMs'
  | 'memoryMb'
  | 'memoryBytes'
  | 'statusCode'
  | 'result'
  | 'coldStart'
  | 'droppedLines'
>;

export type PlatformLine = keyof typeof PLATFORM_LINES;
export type LineField = keyof ReturnType<typeof fieldsOf>;

/**
 * SCF's platform lines (scf-api.md "Log lines"), in the form of real captures: with a space after `RequestId:`. Nothing stores them:
 * the invoker makes them for `LogType: Tail`, and the log service when a log is read or searched. `receipt` is ours: where the time
 * of the request went, and why no warm instance served it.
 */
export const PLATFORM_LINES = {
  start: 'START RequestId: {requestId}',
  initReport:
    'Init Report RequestId: {requestId} Coldstart: {coldStartMs}ms (PullCode: {pullCodeMs}ms InitRuntime: {initRuntimeMs}ms InitFunction: {initFunctionMs}ms) Memory: {memoryMb}MB MemUsage: {initMemoryUsedMb}MB',
  cut: '[PLATFORM] the log was cut at 1 MB or 32768 lines: {droppedLines} more lines were dropped',
  error: 'ERROR RequestId: {requestId} Result:{result}',
  response: 'Response RequestId: {requestId} RetMsg:{result}',
  end: 'END RequestId: {requestId}',
  report:
    'Report RequestId: {requestId} Duration: {durationMs}ms Memory: {memoryMb}MB MemUsage: {memoryUsedMb}MB',
  warmReceipt:
    'Receipt RequestId: {requestId} Queued: {queuedMs}ms Placed: {placedMs}ms Run: {runMs}ms Cold: no',
  coldReceipt:
    'Receipt RequestId: {requestId} Queued: {queuedMs}ms Placed: {placedMs}ms Code: {codeMs}ms Sandbox: {sandboxMs}ms Runtime: {runtimeMs}ms Init: {initMs}ms Run: {runMs}ms Cold: {coldReason}',
} as const;

/** Follows the reason of a cold start that took its sandbox and runtime from the warm pool. */
export const POOLED = ' (pooled)';

const BYTES_PER_MB = 1024 * 1024;
const SUCCESS = 200;

/** The lines before what the function prints. */
export function openingLines(attempt: LoggedAttempt): string[] {
  return render(attempt, attempt.coldStart === undefined ? ['start'] : ['start', 'initReport']);
}

/** The lines after it. */
export function closingLines(attempt: LoggedAttempt): string[] {
  const receipt = attempt.coldStart === undefined ? 'warmReceipt' : 'coldReceipt';
  const names: PlatformLine[] = ['response', 'end', 'report', receipt];
  if (attempt.statusCode !== SUCCESS) names.unshift('error');
  if (attempt.droppedLines > 0) names.unshift('cut');
  return render(attempt, names);
}

/** A line as pieces in turn: text, field, text, field, … text. For whoever fills in the fields with something else than values. */
export function piecesOf(line: PlatformLine): string[] {
  return PLATFORM_LINES[line].split(/[{}]/);
}

function render(attempt: LoggedAttempt, names: readonly PlatformLine[]): string[] {
  const fields = fieldsOf(attempt);
  return names.map((name) =>
    PLATFORM_LINES[name].replace(/\{(\w+)\}/g, (_, field: string) => String(fields[field as LineField])),
  );
}

function fieldsOf({ coldStart, ...attempt }: LoggedAttempt) {
  return {
    requestId: attempt.requestId,
    coldStartMs: Math.ceil(coldStart?.totalMs ?? 0),
    pullCodeMs: Math.ceil(coldStart?.pullCodeMs ?? 0),
    initRuntimeMs: Math.ceil(coldStart?.initRuntimeMs ?? 0),
    initFunctionMs: Math.ceil(coldStart?.initFunctionMs ?? 0),
    initMemoryUsedMb: megabytes(coldStart?.memoryBytes ?? 0),
    droppedLines: attempt.droppedLines,
    result: attempt.result,
    durationMs: Math.ceil(attempt.durationMs),
    memoryMb: attempt.memoryMb,
    memoryUsedMb: megabytes(attempt.memoryBytes),
    queuedMs: tenths(attempt.queuedMs),
    placedMs: tenths(attempt.placedMs),
    codeMs: tenths(coldStart?.pullCodeMs ?? 0),
    sandboxMs: tenths(coldStart?.sandboxMs ?? 0),
    runtimeMs: tenths(coldStart?.initRuntimeMs ?? 0),
    initMs: tenths(coldStart?.initFunctionMs ?? 0),
    runMs: tenths(attempt.durationMs),
    coldReason: `${coldStart?.reason ?? ''}${coldStart?.pooled === true ? POOLED : ''}`,
  };
}

function tenths(ms: number): string {
  return ms.toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / BYTES_PER_MB).toFixed(2);
}
