import { sql, type Migration } from '@openscf/persistence';

const firstTables: Migration = {
  async up(db) {
    await sql`
      CREATE SEQUENCE revisions AS bigint;

      CREATE TABLE functions (
        function_id text PRIMARY KEY,
        namespace text NOT NULL,
        function_name text NOT NULL,
        type text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (namespace, function_name)
      );

      CREATE TABLE packages (
        sha256 text PRIMARY KEY,
        size_bytes bigint NOT NULL,
        object_key text NOT NULL,
        touched_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE function_versions (
        function_id text NOT NULL REFERENCES functions ON DELETE CASCADE,
        version text NOT NULL,
        revision bigint NOT NULL,
        status text NOT NULL,
        status_reason text NOT NULL,
        runtime text NOT NULL,
        handler text NOT NULL,
        memory_mb integer NOT NULL,
        timeout_ms integer NOT NULL,
        init_timeout_ms integer NOT NULL,
        environment json NOT NULL,
        public_network boolean NOT NULL,
        description text NOT NULL,
        role text NOT NULL,
        package_sha256 text NOT NULL REFERENCES packages,
        created_at timestamptz NOT NULL DEFAULT now(),
        modified_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (function_id, version)
      );
      CREATE INDEX function_versions_by_package ON function_versions (package_sha256);

      CREATE TABLE triggers (
        function_id text NOT NULL REFERENCES functions ON DELETE CASCADE,
        type text NOT NULL,
        trigger_name text NOT NULL,
        state_name text NOT NULL,
        description text NOT NULL,
        custom_argument text NOT NULL,
        state jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        modified_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (function_id, type, state_name)
      );
      CREATE INDEX cos_triggers_by_bucket ON triggers ((state ->> 'bucket')) WHERE type = 'cos';

      CREATE TABLE credentials (
        secret_id text PRIMARY KEY,
        encrypted_secret_key text NOT NULL,
        app_id text NOT NULL,
        uin text NOT NULL,
        enabled boolean NOT NULL,
        root boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        key text NOT NULL,
        value json,
        created_at timestamptz NOT NULL DEFAULT now()
      );
    `.execute(db);
  },
};

/** In the order of their names. A migration that has run anywhere is never changed. */
export const registryMigrations: Record<string, Migration> = {
  '0001-first-tables': firstTables,
};
