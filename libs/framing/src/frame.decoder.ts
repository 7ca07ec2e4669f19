import {
  DEFAULT_FRAME_LIMITS,
  FIXED_BYTES,
  LENGTH_BYTES,
  type Frame,
  type FrameLimits,
} from './frame.types.js';
import { FramingError } from './framing.errors.js';

/**
 * Cuts a byte stream into frames, however it is chopped. A frame that lies whole in one chunk is not copied; one that spans
 * chunks is copied once, into a buffer of its exact size. After a FramingError the decoder must not be used again.
 */
export class FrameDecoder {
  /** The length field, while fewer than four bytes of it are here. */
  private readonly lengthField = Buffer.alloc(LENGTH_BYTES);
  private lengthFilled = 0;
  /** The rest of a frame that spans chunks. */
  private partial: Buffer | undefined;
  private partialFilled = 0;

  constructor(
    private readonly onFrame: (frame: Frame) => void,
    private readonly limits: FrameLimits = DEFAULT_FRAME_LIMITS,
  ) {}

  /** True when no frame is half received: the stream may end here. */
  get atBoundary(): boolean {
    return this.lengthFilled === 0 && this.partial === undefined;
  }

  /** @throws FramingError */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset =
        this.partial === undefined ? this.begin(chunk, offset) : this.fill(this.partial, chunk, offset);
    }
  }

  private begin(chunk: Buffer, start: number): number {
    let offset = start;
    let restBytes: number;
    if (this.lengthFilled === 0 && chunk.length - offset >= LENGTH_BYTES) {
      restBytes = chunk.readUInt32BE(offset);
      offset += LENGTH_BYTES;
    } else {
      const taken = chunk.copy(
        this.lengthField,
        this.lengthFilled,
        offset,
        offset + LENGTH_BYTES - this.lengthFilled,
      );
      this.lengthFilled += taken;
      offset += taken;
      if (this.lengthFilled < LENGTH_BYTES) return offset;
      restBytes = this.lengthField.readUInt32BE(0);
      this.lengthFilled = 0;
    }
    this.checkLength(restBytes);
    if (chunk.length - offset >= restBytes) {
      this.emit(chunk.subarray(offset, offset + restBytes));
      return offset + restBytes;
    }
    this.partial = Buffer.allocUnsafe(restBytes);
    this.partialFilled = chunk.copy(this.partial, 0, offset);
    return chunk.length;
  }

  private fill(partial: Buffer, chunk: Buffer, offset: number): number {
    const taken = chunk.copy(partial, this.partialFilled, offset);
    this.partialFilled += taken;
    if (this.partialFilled === partial.length) {
      this.partial = undefined;
      this.emit(partial);
    }
    return offset + taken;
  }

  private checkLength(restBytes: number): void {
    const most = FIXED_BYTES + this.limits.maxHeadBytes + this.limits.maxBodyBytes;
    if (restBytes >= FIXED_BYTES && restBytes <= most) return;
    throw new FramingError(`a frame of ${restBytes} bytes; accepted are ${FIXED_BYTES} to ${most}`, {
      restBytes,
    });
  }

  private emit(rest: Buffer): void {
    const headBytes = rest.readUInt32BE(5);
    const bodyBytes = rest.length - FIXED_BYTES - headBytes;
    if (headBytes > this.limits.maxHeadBytes || bodyBytes < 0 || bodyBytes > this.limits.maxBodyBytes) {
      throw new FramingError(
        `a frame with a head of ${headBytes} and a body of ${bodyBytes} bytes; ` +
          `accepted are heads to ${this.limits.maxHeadBytes} and bodies to ${this.limits.maxBodyBytes}`,
        { headBytes, bodyBytes },
      );
    }
    this.onFrame({
      kind: rest.readUInt8(0),
      streamId: rest.readUInt32BE(1),
      head: rest.subarray(FIXED_BYTES, FIXED_BYTES + headBytes),
      body: rest.subarray(FIXED_BYTES + headBytes),
    });
  }
}
