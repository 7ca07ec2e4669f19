/** Rows of the schema `log`. Both tables have one partition a day: by the attempt's start, and by the line's time. */
export interface InvocationRow {
  request_id: string;
  retry_num: number;
  namespace: string;
  function_name: string;
  version: string;
  qualifier: string;
  app_id: string;
  source: string;
  invocation_type: string;
  started_at: Date;
  queued_ms: number;
  placed_ms: number;
  duration_ms: number;
  /** bigint: the driver gives it as text. */
  billed_ms: string;
  memory_bytes: string;
  memory_mb: number;
  status_code: number;
  result: string;
  /** JSON of the record's `coldStart`. */
  cold_start: string | null;
  invoker_id: string;
  trace_id: string | null;
  dropped_lines: number;
  printed_lines: number;
}

/** A line that the function printed; the platform's lines follow from the invocation. */
export interface LogLineRow {
  request_id: string;
  retry_num: number;
  seq: number;
  at: Date;
  text: string;
}

export interface LogTables {
  invocations: InvocationRow;
  log_lines: LogLineRow;
}
