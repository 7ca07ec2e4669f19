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

const instances: Migration = {
  async up(db) {
    await sql`
      ALTER TABLE functions
        ADD COLUMN last_version integer NOT NULL DEFAULT 0,
        ADD COLUMN reserved_mb integer,
        ADD COLUMN concurrency_revision bigint NOT NULL DEFAULT 0;

      ALTER TABLE packages ADD COLUMN unpacked_bytes bigint;

      ALTER TABLE function_versions
        ALTER COLUMN package_sha256 DROP NOT NULL,
        ADD COLUMN image json,
        ADD COLUMN settings json NOT NULL DEFAULT '{}',
        ADD CONSTRAINT package_or_image CHECK ((package_sha256 IS NULL) <> (image IS NULL));

      CREATE TABLE layers (
        layer_name text PRIMARY KEY,
        last_version integer NOT NULL DEFAULT 0
      );

      CREATE TABLE layer_versions (
        layer_name text NOT NULL REFERENCES layers,
        layer_version integer NOT NULL,
        package_sha256 text REFERENCES packages,
        compatible_runtimes text[] NOT NULL,
        description text NOT NULL,
        license_info text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (layer_name, layer_version)
      );
      CREATE INDEX layer_versions_by_package ON layer_versions (package_sha256);

      CREATE TABLE function_layers (
        function_id text NOT NULL,
        version text NOT NULL,
        position integer NOT NULL,
        layer_name text NOT NULL,
        layer_version integer NOT NULL,
        package_sha256 text NOT NULL REFERENCES packages,
        PRIMARY KEY (function_id, version, position),
        FOREIGN KEY (function_id, version) REFERENCES function_versions ON DELETE CASCADE,
        FOREIGN KEY (layer_name, layer_version) REFERENCES layer_versions
      );
      CREATE INDEX function_layers_by_package ON function_layers (package_sha256);
      CREATE INDEX function_layers_by_layer ON function_layers (layer_name, layer_version);

      CREATE TABLE provisioned (
        function_id text NOT NULL,
        version text NOT NULL,
        instances integer NOT NULL,
        schedule json NOT NULL,
        tracking json,
        modified_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (function_id, version),
        FOREIGN KEY (function_id, version) REFERENCES function_versions ON DELETE CASCADE
      );

      ALTER TABLE triggers ADD COLUMN http_desc json;
      CREATE UNIQUE INDEX http_triggers_by_url ON triggers ((state ->> 'urlId')) WHERE type = 'http';
    `.execute(db);
  },
};

/** In the order of their names. A migration that has run anywhere is never changed. */
export const registryMigrations: Record<string, Migration> = {
  '0001-first-tables': firstTables,
  '0002-instances': instances,
};
