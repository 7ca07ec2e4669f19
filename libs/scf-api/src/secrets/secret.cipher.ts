import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PlatformError } from '@openscf/contracts';

/** A secret or a master key that cannot be used. The message never holds either. */
export class SecretUnreadableError extends PlatformError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'InternalError.System', fault: 'platform', retryable: false, cause });
  }
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1';

/** Reads the content of the operator's master key file: 32 bytes as hex. */
export function parseMasterKey(text: string): Buffer {
  const hex = text.trim();
  if (/^[0-9a-f]{64}$/i.test(hex)) return Buffer.from(hex, 'hex');
  throw new SecretUnreadableError(
    `The master key must be ${KEY_BYTES} bytes as ${KEY_BYTES * 2} hex digits.`,
  );
}

/**
 * Encrypts a secret key with AES-256-GCM, bound to its secret id, so that one key's ciphertext cannot be put in another's place.
 * Result: `v1.<base64url of nonce, tag and ciphertext>`.
 */
export function encryptSecret(masterKey: Buffer, secretId: string, secretKey: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(secretId));
  const text = Buffer.concat([cipher.update(secretKey, 'utf8'), cipher.final()]);
  return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')}`;
}

/** The inverse. Throws SecretUnreadableError for another master key, another secret id or a changed text. */
export function decryptSecret(masterKey: Buffer, secretId: string, encrypted: string): string {
  const [version, payload] = encrypted.split('.');
  const bytes = Buffer.from(payload ?? '', 'base64url');
  if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES) {
    throw new SecretUnreadableError(`The secret of ${secretId} is not in the form ${VERSION}.`);
  }
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', masterKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(secretId));
    decipher.setAuthTag(tag);
    return (
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (error) {
    throw new SecretUnreadableError(
      `The secret of ${secretId} was not encrypted with this master key.`,
      error,
    );
  }
}
