import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHome, type Home } from './home.ts';
import { openKeys } from './keys.ts';

describe('openKeys', () => {
  let home: Home;

  beforeEach(() => (home = openHome(mkdtempSync(join(tmpdir(), 'openscf-keys-')))));
  afterEach(() => rmSync(home.root, { recursive: true }));

  it('makes keys in the shapes that the services and clients expect', () => {
    const keys = openKeys(home);
    expect(keys.secretId).toMatch(/^AKID[A-Za-z0-9]{32}$/);
    expect(keys.secretKey).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(readFileSync(home.masterKeyFile, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(
      readFileSync(home.credentialsFile, 'utf8')
        .split('\n')
        .map((line) => line.split('=')[0]),
    ).toEqual([
      'TENCENTCLOUD_SECRET_ID',
      'TENCENTCLOUD_SECRET_KEY',
      'MINIO_ACCESS_KEY',
      'MINIO_SECRET_KEY',
      '',
    ]);
  });

  it('lets only the owner read them', () => {
    openKeys(home);
    for (const file of [
      home.masterKeyFile,
      home.credentialsFile,
      home.minioRootFile,
      home.postgresPasswordFile,
    ]) {
      expect(statSync(file).mode & 0o777, file).toBe(0o600);
    }
  });

  it('keeps what is there', () => {
    expect(openKeys(home)).toEqual(openKeys(home));
  });

  it('names the file and the line that is missing', () => {
    openKeys(home);
    writeFileSync(home.credentialsFile, 'TENCENTCLOUD_SECRET_ID=AKIDx\n');
    expect(() => openKeys(home)).toThrow(`${home.credentialsFile} has no line TENCENTCLOUD_SECRET_KEY=`);
  });
});
