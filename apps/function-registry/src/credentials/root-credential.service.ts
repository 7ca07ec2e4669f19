import { readFile } from 'node:fs/promises';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { topics, type CredentialState } from '@openscf/contracts';
import { decryptSecret, encryptSecret, parseMasterKey, SecretUnreadableError } from '@openscf/scf-api';
import type { Logger } from '@openscf/telemetry';
import { Changes, type Transaction } from '../outbox/changes.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { LOGGER, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { CredentialsFileError, parseCredentialsFile, type KeyPair } from './credentials-file.policy.js';
import { CredentialsRepository } from './credentials.repository.js';

async function readNamed(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CredentialsFileError(`The ${what} cannot be read: ${reason}`, error);
  }
}

/**
 * The installation's root key. It is what the credentials file says: at boot it is taken over, encrypted and published, and the
 * key that was in the file before is disabled.
 */
@Injectable()
export class RootCredential implements OnModuleInit {
  constructor(
    private readonly credentials: CredentialsRepository,
    private readonly outbox: OutboxRepository,
    private readonly changes: Changes,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.takeOver();
  }

  async takeOver(): Promise<void> {
    const { masterKeyFile, rootCredentialsFile } = this.config;
    const masterKey = parseMasterKey(await readNamed(masterKeyFile, 'master key'));
    const pair = parseCredentialsFile(
      rootCredentialsFile,
      await readNamed(rootCredentialsFile, 'credentials file'),
    );
    await this.changes.commit(async (tx) => {
      const known = await this.credentials.lockRoot(tx);
      for (const old of known) {
        if (old.secretId !== pair.secretId && old.enabled)
          await this.save(tx, { ...old, enabled: false }, 'disabled');
      }
      const current = known.find(({ secretId }) => secretId === pair.secretId);
      if (current && this.isSame(masterKey, current, pair)) return;
      await this.save(tx, this.stateOf(masterKey, pair), 'taken over');
    });
  }

  private async save(tx: Transaction, state: CredentialState, what: string): Promise<void> {
    await this.credentials.saveRoot(tx, state);
    await this.outbox.add(tx, topics.credentials, state.secretId, state);
    this.logger.info({ secretId: state.secretId, what }, 'the root key has changed');
  }

  private stateOf(masterKey: Buffer, { secretId, secretKey }: KeyPair): CredentialState {
    const { appId, uin } = this.config;
    return {
      secretId,
      encryptedSecretKey: encryptSecret(masterKey, secretId, secretKey),
      appId,
      uin,
      enabled: true,
    };
  }

  /** False also when it was encrypted with another master key: then it is encrypted again. */
  private isSame(masterKey: Buffer, state: CredentialState, pair: KeyPair): boolean {
    if (!state.enabled || state.appId !== this.config.appId || state.uin !== this.config.uin) return false;
    try {
      return decryptSecret(masterKey, state.secretId, state.encryptedSecretKey) === pair.secretKey;
    } catch (error) {
      if (error instanceof SecretUnreadableError) return false;
      throw error;
    }
  }
}
