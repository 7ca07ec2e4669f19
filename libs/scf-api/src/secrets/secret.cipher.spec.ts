import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { decryptSecret, encryptSecret, parseMasterKey, SecretUnreadableError } from './secret.cipher.js';

const masterKey = randomBytes(32);

it('gives back what was encrypted, never in the same form twice', () => {
  const first = encryptSecret(masterKey, 'AKID1', 'secret');
  expect(first).not.toContain('secret');
  expect(encryptSecret(masterKey, 'AKID1', 'secret')).not.toBe(first);
  expect(decryptSecret(masterKey, 'AKID1', first)).toBe('secret');
});

it('refuses another master key, another secret id and a changed text', () => {
  const encrypted = encryptSecret(masterKey, 'AKID1', 'secret');
  expect(() => decryptSecret(randomBytes(32), 'AKID1', encrypted)).toThrow(SecretUnreadableError);
  expect(() => decryptSecret(masterKey, 'AKID2', encrypted)).toThrow(SecretUnreadableError);
  expect(() => decryptSecret(masterKey, 'AKID1', `${encrypted.slice(0, -2)}00`)).toThrow(
    SecretUnreadableError,
  );
  expect(() => decryptSecret(masterKey, 'AKID1', 'plain')).toThrow(SecretUnreadableError);
});

it('reads a master key of 64 hex digits and nothing else', () => {
  expect(parseMasterKey(`${masterKey.toString('hex')}\n`)).toEqual(masterKey);
  expect(() => parseMasterKey('abc')).toThrow('64 hex digits');
});
