import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeTrustStore } from './trust-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openscf-trust-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

it('writes a key store with each certificate, sealed with the usual password', async () => {
  await mkdir(join(folder, 'certificates'));
  for (const [index, certificate] of rootCertificates.slice(0, 3).entries())
    await writeFile(join(folder, 'certificates', `Root_${index}.crt`), certificate);
  await writeFile(join(folder, 'certificates', 'README'), 'no certificate');
  await writeTrustStore(join(folder, 'certificates'), join(folder, 'lib/cacerts'));
  const store = await readFile(join(folder, 'lib/cacerts'));
  expect(store.subarray(0, 12).toString('hex')).toBe('feedfeed0000000200000003');
  expect(store.toString('latin1')).toContain('root_2');
  const data = store.subarray(0, -20);
  const password = Buffer.from('\0c\0h\0a\0n\0g\0e\0i\0t');
  const seal = createHash('sha1').update(password).update('Mighty Aphrodite').update(data).digest();
  expect(store.subarray(-20).equals(seal)).toBe(true);
});
