/** RFC 6455: opcode of a close frame. */
const CLOSE = 0x8;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;

/**
 * Follows the frames of one direction of a WebSocket connection, without keeping them: to know whether it was closed as the
 * protocol wants it, and whether a frame of ours would fall between two of the peer's.
 */
export class WebSocketScanner {
  /** A close frame has begun. */
  closing = false;
  private header: number[] = [];
  /** Payload of the current frame that is still to come. */
  private payloadBytes = 0;

  /** Nothing of a frame is under way. */
  get isBetweenFrames(): boolean {
    return this.header.length === 0 && this.payloadBytes === 0;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.payloadBytes > 0) {
        const skipped = Math.min(this.payloadBytes, bytes.length - at);
        this.payloadBytes -= skipped;
        at += skipped;
        continue;
      }
      this.header.push(bytes[at++] ?? 0);
      if (this.header.length >= 2 && this.header.length === headerBytes(this.header)) this.endHeader();
    }
  }

  private endHeader(): void {
    const [first = 0, second = 0, ...more] = this.header;
    if ((first & 0x0f) === CLOSE) this.closing = true;
    const short = second & 0x7f;
    const lengthBytes = extendedBytes(short);
    this.payloadBytes =
      lengthBytes === 0 ? short : more.slice(0, lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
    this.header = [];
  }
}

function extendedBytes(short: number): number {
  if (short === LENGTH_16) return 2;
  return short === LENGTH_64 ? 8 : 0;
}

function headerBytes([, second = 0]: readonly number[]): number {
  return 2 + extendedBytes(second & 0x7f) + ((second & MASKED) === 0 ? 0 : MASK_BYTES);
}

/** A close frame as a server sends it. `reason` is at most 123 bytes long. */
export function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 123);
  const frame = Buffer.allocUnsafe(4 + text.length);
  frame.writeUInt8(0x80 | CLOSE, 0);
  frame.writeUInt8(2 + text.length, 1);
  frame.writeUInt16BE(code, 2);
  text.copy(frame, 4);
  return frame;
}
