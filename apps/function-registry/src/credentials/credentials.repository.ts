import { Inject, Injectable } from '@nestjs/common';
import { credentialStateSchema, type CredentialState } from '@openscf/contracts';
import { Database, type Kysely, type Selectable } from '@openscf/persistence';
import type { CredentialTable, RegistrySchema } from '../database/registry.schema.js';

function stateOf(row: Selectable<CredentialTable>): CredentialState {
  return credentialStateSchema.parse({
    secretId: row.secret_id,
    encryptedSecretKey: row.encrypted_secret_key,
    appId: row.app_id,
    uin: row.uin,
    enabled: row.enabled,
  });
}

/** Key pairs; the secret is stored encrypted only. */
@Injectable()
export class CredentialsRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  async find(secretId: string): Promise<CredentialState | undefined> {
    const row = await this.database.kysely
      .selectFrom('credentials')
      .selectAll()
      .where('secret_id', '=', secretId)
      .executeTakeFirst();
    return row && stateOf(row);
  }

  /** The installation's own keys, old ones included; other replicas wait until the transaction ends. */
  async lockRoot(tx: Kysely<RegistrySchema>): Promise<CredentialState[]> {
    const rows = await tx
      .selectFrom('credentials')
      .selectAll()
      .where('root', '=', true)
      .forUpdate()
      .execute();
    return rows.map(stateOf);
  }

  async saveRoot(tx: Kysely<RegistrySchema>, state: CredentialState): Promise<void> {
    const columns = {
      encrypted_secret_key: state.encryptedSecretKey,
      app_id: state.appId,
      uin: state.uin,
      enabled: state.enabled,
      root: true,
    };
    await tx
      .insertInto('credentials')
      .values({ secret_id: state.secretId, ...columns })
      .onConflict((conflict) => conflict.column('secret_id').doUpdateSet(columns))
      .execute();
  }

  async all(tx: Kysely<RegistrySchema>): Promise<CredentialState[]> {
    return (await tx.selectFrom('credentials').selectAll().execute()).map(stateOf);
  }
}
