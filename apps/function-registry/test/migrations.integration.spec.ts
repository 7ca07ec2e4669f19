import { randomBytes } from 'node:crypto';
import { Database, sql, type Migration } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { sharedParts } from '@openscf/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { registryMigrations } from '../src/database/registry.migrations.js';
import type { RegistrySchema } from '../src/database/registry.schema.js';
import { FunctionsRepository } from '../src/functions/functions.repository.js';

describe('migrations', () => {
  const schema = `registry_${randomBytes(4).toString('hex')}`;
  const opened: Database<RegistrySchema>[] = [];
  afterAll(() => Promise.all(opened.map((database) => database.close())));

  async function migrated(migrations: Record<string, Migration>): Promise<Database<RegistrySchema>> {
    const url = sharedParts().postgresUrl;
    const database = new Database<RegistrySchema>({ url, schema, migrations, logger: silentLogger() });
    opened.push(database);
    await database.prepare();
    return database;
  }

  it('keep what the release before has stored', async () => {
    const [first] = Object.entries(registryMigrations);
    if (!first) throw new Error('There is no migration.');
    const before = await migrated(Object.fromEntries([first]));
    const sha256 = 'ab'.repeat(32);
    await sql`
      INSERT INTO functions (function_id, namespace, function_name, type) VALUES ('lam-1', 'default', 'old', 'Event');
      INSERT INTO packages (sha256, size_bytes, object_key) VALUES ('${sql.raw(sha256)}', 10, 'code/x.zip');
      INSERT INTO function_versions (function_id, version, revision, status, status_reason, runtime, handler, memory_mb,
        timeout_ms, init_timeout_ms, environment, public_network, description, role, package_sha256)
      VALUES ('lam-1', '$LATEST', 7, 'Active', '', 'Nodejs22', 'index.main_handler', 128, 3000, 65000, '{}', true, 'd', '',
        '${sql.raw(sha256)}');
    `.execute(before.kysely);
    const after = new FunctionsRepository(await migrated(registryMigrations));
    expect(await after.find({ namespace: 'default', functionName: 'old' })).toMatchObject({
      revision: 7,
      description: 'd',
      code: { kind: 'package', sha256, sizeBytes: 10 },
      layers: [],
      sharedDirectories: [],
      instanceConcurrency: 1,
    });
  });
});
