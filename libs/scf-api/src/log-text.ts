import type { InvocationRecord } from '@openscf/contracts';

/** What of an attempt its platform lines tell. */
export type LoggedAttempt = Pick<
  InvocationRecord,
  | 'requestId'
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
 * the invoker makes them for `LogType: Tail`, and the log service when a log is read or searched.
 */
export const PLATFORM_LINES = {
  start: 'START RequestId: {requestId}',
  initReport:
    'Init Report RequestId: {requestId} Coldstart: {coldStartMs}ms (PullCode: {pullCodeMs}ms InitRuntime: {initRuntimeMs}ms InitFunction: {initFunctionMs}ms) Memory: {memoryMb}MB MemUsage: {initMemoryUsedMb}MB',
  cut: '[PLATFORM] the log was cut at 1 MB: {droppedLines} more lines were dropped',
  error: 'ERROR RequestId: {requestId} Result:{result}',
  response: 'Response RequestId: {requestId} RetMsg:{result}',
  end: 'END RequestId: {requestId}',
  report:
    'Report RequestId: {requestId} Duration: {durationMs}ms Memory: {memoryMb}MB MemUsage: {memoryUsedMb}MB',
} as const;

const BYTES_PER_MB = 1024 * 1024;
const SUCCESS = 200;

/** The lines before what the function prints. */
export function openingLines(attempt: LoggedAttempt): string[] {
  return render(attempt, attempt.coldStart === undefined ? ['start'] : ['start', 'initReport']);
}

/** The lines after it. */
export function closingLines(attempt: LoggedAttempt): string[] {
  const names: PlatformLine[] = ['response', 'end', 'report'];
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
  };
}

function megabytes(bytes: number): string {
  return (bytes / BYTES_PER_MB).toFixed(2);
}
