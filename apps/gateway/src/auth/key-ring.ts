import type { CompactedTable } from '@openscf/bus';
import { CallerError, type Caller, type CredentialState } from '@openscf/contracts';
import { type Authorization, decryptSecret, errorCodes, SigningKey } from '@openscf/scf-api';

/** What is used of the table of credentials. */
export type CredentialTable = Pick<CompactedTable<CredentialState>, 'get' | 'onChange'>;

interface Entry {
  caller: Caller;
  secretKey: string;
  /** By day and service. Clients keep to one or two of them; a stranger's inventions push the others out. */
  signingKeys: Map<string, SigningKey>;
}

const SIGNING_KEYS_PER_SECRET = 16;

/** A key that may sign, and whose it is. */
export interface Signer {
  caller: Caller;
  key: SigningKey;
}

/** The accounts' keys, decrypted on first use and forgotten when they change. */
export class KeyRing {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly table: CredentialTable,
    private readonly masterKey: Buffer,
  ) {
    table.onChange((secretId) => this.entries.delete(secretId));
  }

  /** Finds who claims to have signed. Throws a CallerError for a key that is not known or is switched off. */
  signer(authorization: Authorization): Signer {
    const entry = this.entries.get(authorization.secretId) ?? this.load(authorization.secretId);
    const scope = `${authorization.date}/${authorization.service}`;
    let key = entry.signingKeys.get(scope);
    if (key === undefined) {
      key = new SigningKey(entry.secretKey, authorization.date, authorization.service);
      if (entry.signingKeys.size >= SIGNING_KEYS_PER_SECRET) entry.signingKeys.clear();
      entry.signingKeys.set(scope, key);
    }
    return { caller: entry.caller, key };
  }

  private load(secretId: string): Entry {
    const state = this.table.get(secretId);
    if (state === undefined) {
      throw new CallerError(
        errorCodes.secretIdNotFound,
        `The secret id ${JSON.stringify(secretId)} is not known.`,
      );
    }
    if (!state.enabled) {
      throw new CallerError(errorCodes.keyDisabled, `The key ${JSON.stringify(secretId)} is switched off.`);
    }
    const entry: Entry = {
      caller: { appId: state.appId, uin: state.uin, secretId },
      secretKey: decryptSecret(this.masterKey, secretId, state.encryptedSecretKey),
      signingKeys: new Map(),
    };
    this.entries.set(secretId, entry);
    return entry;
  }
}
