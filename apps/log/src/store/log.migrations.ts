import { sql, type Migration } from '@openscf/persistence';

/** Names order the migrations; one that has run is never changed. Partitions are made by partitions.service.ts. */
export const migrations: Record<string, Migration> = {
  '0001-invocations-and-lines': {
    async up(db) {
      await sql`
        create table invocations (
          request_id      text not null,
          retry_num       integer not null,
          namespace       text not null,
          function_name   text not null,
          version         text not null,
          qualifier       text not null,
          app_id          text not null,
          source          text not null,
          invocation_type text not null,
          started_at      timestamptz not null,
          duration_ms     double precision not null,
          billed_ms       bigint not null,
          memory_bytes    bigint not null,
          memory_mb       integer not null,
          status_code     integer not null,
          result          text not null,
          cold_start      text,
          invoker_id      text not null,
          trace_id        text,
          primary key (request_id, retry_num, started_at)
        ) partition by range (started_at)`.execute(db);
      await sql`
        create index invocations_by_function on invocations (namespace, function_name, started_at desc)`.execute(
        db,
      );
      await sql`
        create table log_lines (
          request_id text not null,
          retry_num  integer not null,
          seq        integer not null,
          at         timestamptz not null,
          level      text not null,
          type       text not null,
          text       text not null,
          primary key (request_id, retry_num, seq, at)
        ) partition by range (at)`.execute(db);
    },
  },
  '0002-printed-lines-only': {
    async up(db) {
      await sql`delete from log_lines where type = 'Platform'`.execute(db);
      await sql`alter table log_lines drop column level, drop column type`.execute(db);
      await sql`alter table invocations add column dropped_lines integer not null default 0`.execute(db);
      await sql`
        update invocations
        set cold_start = (cold_start::jsonb || jsonb_build_object('memoryBytes', memory_bytes))::text
        where cold_start is not null`.execute(db);
    },
  },
  '0003-count-of-printed-lines': {
    async up(db) {
      await sql`alter table invocations add column printed_lines integer not null default 0`.execute(db);
    },
  },
  '0004-receipt': {
    async up(db) {
      await sql`
        alter table invocations
          add column queued_ms double precision not null default 0,
          add column placed_ms double precision not null default 0`.execute(db);
    },
  },
};
