import { sql, type Migration } from '@openscf/persistence';

/** Names order the migrations; one that has run is never changed. */
export const migrations: Record<string, Migration> = {
  '0001-parked-events': {
    async up(db) {
      await sql`
        create table parked_events (
          request_id   text primary key,
          function_key text not null,
          event        text not null,
          progress     text not null,
          traceparent  text,
          due_at       timestamptz not null,
          leased_by    text,
          lease_epoch  integer not null default 0,
          parked_at    timestamptz not null default now()
        ) with (autovacuum_vacuum_scale_factor = 0.02)`.execute(db);
      await sql`create index parked_events_due on parked_events (function_key, due_at)`.execute(db);
      await sql`create index parked_events_leased on parked_events (leased_by) where leased_by is not null`.execute(
        db,
      );
      await sql`
        create table workers (
          worker_id text primary key,
          place     text not null,
          seen_at   timestamptz not null
        )`.execute(db);
    },
  },
};
