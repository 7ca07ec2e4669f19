// How MinIO's admin API wants its bodies encrypted (madmin-go EncryptData): a key from the secret key by PBKDF2, then
// the chunked AES-256-GCM of secure-io/sio-go. Layout: salt (32) | algorithm (1) | nonce (8) | one sealed chunk.
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';

const PBKDF2_AES_GCM = 0x02;
const PBKDF2_ROUNDS = 8_192;
const TAG_BYTES = 16;
const CHUNK_BYTES = 16 * 1_024;
const LAST_CHUNK = 0x80;

/** Seals up to 16 KiB, which is one chunk of the format and more than any body that is sent from here. */
export function sealAdminBody(secretKey: string, body: Buffer): Buffer {
  if (body.length > CHUNK_BYTES)
    throw new RangeError(`The body has ${body.length} bytes; at most ${CHUNK_BYTES} can be sealed.`);
  const salt = randomBytes(32);
  const nonce = randomBytes(8);
  const key = pbkdf2Sync(secretKey, salt, PBKDF2_ROUNDS, 32, 'sha256');
  // Chunk 0 is empty and never sent: its tag, after the mark of the chunk, is what each chunk is bound to.
  const stream = seal(key, nonce, 0, Buffer.alloc(0), Buffer.alloc(0));
  const chunk = seal(key, nonce, 1, body, Buffer.concat([Buffer.of(LAST_CHUNK), stream]));
  return Buffer.concat([salt, Buffer.of(PBKDF2_AES_GCM), nonce, chunk]);
}

function seal(key: Buffer, nonce: Buffer, chunkNumber: number, plain: Buffer, boundTo: Buffer): Buffer {
  const counter = Buffer.alloc(4);
  counter.writeUInt32LE(chunkNumber);
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([nonce, counter]), {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(boundTo);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
