import { createHash } from 'node:crypto';

/**
 * A request id made from what caused the event, in the form of a UUID (version 8). The same cause always gives the same id,
 * so an event that is published twice is still one event.
 */
export function requestIdFrom(...cause: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(cause)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
