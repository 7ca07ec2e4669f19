/** Rows of the schema `scheduler`. */
export interface ParkedEventRow {
  request_id: string;
  function_key: string;
  /** JSON text and not jsonb, which refuses a NUL that an event may hold. */
  event: string;
  progress: string;
  traceparent: string | null;
  due_at: Date;
  leased_by: string | null;
  lease_epoch: number;
  parked_at: Date;
}

/** Schedulers that live, and a while longer. */
export interface WorkerRow {
  worker_id: string;
  place: string;
  seen_at: Date;
}

export interface SchedulerTables {
  parked_events: ParkedEventRow;
  workers: WorkerRow;
}
