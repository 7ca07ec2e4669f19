import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealAdminBody } from './body-encryption.ts';

describe('sealAdminBody', () => {
  it('has salt, algorithm, nonce and one chunk sealed with the key of the salt', () => {
    const sealed = sealAdminBody('secret', Buffer.from('{"status":"enabled"}'));
    const salt = sealed.subarray(0, 32);
    expect(sealed[32]).toBe(2);
    const nonce = Buffer.concat([sealed.subarray(33, 41), Buffer.from([1, 0, 0, 0])]);
    const decipher = createDecipheriv('aes-256-gcm', pbkdf2Sync('secret', salt, 8_192, 32, 'sha256'), nonce);
    // The tag is left out: what it is bound to is proven against a real MinIO.
    expect(decipher.update(sealed.subarray(41, -16)).toString()).toBe('{"status":"enabled"}');
  });

  it('refuses more than a chunk', () => {
    expect(() => sealAdminBody('secret', Buffer.alloc(16_385))).toThrow('at most 16384');
  });
});
