import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics } from '@openscf/contracts';
import { decryptSecret } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from './registry.factory.js';

describe('the root key', () => {
  let registry: TestRegistry;
  let folder: string;
  let masterKey: Buffer;
  beforeAll(async () => {
    registry = await startRegistry(sharedParts().environment);
    folder = await mkdtemp(join(tmpdir(), 'openscf-credentials-'));
  });
  afterAll(async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function takeOver(secretId: string, secretKey: string, newMasterKey = false): Promise<void> {
    if (newMasterKey) masterKey = randomBytes(32);
    const [masterKeyFile, rootCredentialsFile] = [join(folder, 'master'), join(folder, 'credentials')];
    await writeFile(masterKeyFile, `${masterKey.toString('hex')}\n`);
    const lines = `TENCENTCLOUD_SECRET_ID=${secretId}\nTENCENTCLOUD_SECRET_KEY=${secretKey}\n`;
    await writeFile(rootCredentialsFile, lines);
    await registry.rootCredential({ masterKeyFile, rootCredentialsFile }).takeOver();
  }
  const announced = (secretId: string) => registry.bus.table(topics.credentials).get(secretId);

  it('is taken over once, encrypted at rest and on the topic', async () => {
    const [id, secret] = [uniqueName('AKID'), `secret${randomBytes(12).toString('hex')}`];
    await takeOver(id, secret, true);
    const state = await eventually(() => announced(id));
    expect(decryptSecret(masterKey, id, state.encryptedSecretKey)).toBe(secret);
    await takeOver(id, secret);
    const rows = await registry.database.kysely.selectFrom('credentials').selectAll().execute();
    expect(rows).toMatchObject([
      { secret_id: id, encrypted_secret_key: state.encryptedSecretKey, enabled: true },
    ]);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('is replaced by another one in the file: the old one is disabled', async () => {
    const [first, second] = [uniqueName('AKID'), uniqueName('AKID')];
    await takeOver(first, 'firstsecret', true);
    await takeOver(second, 'secondsecret');
    await eventually(() => announced(second)?.enabled === true && announced(first)?.enabled === false);
    await takeOver(first, 'firstsecret');
    await eventually(() => announced(first)?.enabled === true && announced(second)?.enabled === false);
  });

  it('is encrypted again when its secret or the master key has changed', async () => {
    const id = uniqueName('AKID');
    await takeOver(id, 'the-same-secret', true);
    const before = await eventually(() => announced(id)?.encryptedSecretKey);
    await takeOver(id, 'the-same-secret', true);
    const after = await eventually(() => {
      const now = announced(id)?.encryptedSecretKey;
      return now === before ? undefined : now;
    });
    expect(decryptSecret(masterKey, id, after)).toBe('the-same-secret');
    await takeOver(id, 'another-secret');
    await eventually(
      () => decryptSecret(masterKey, id, announced(id)?.encryptedSecretKey ?? '') === 'another-secret',
    );
  });
});
