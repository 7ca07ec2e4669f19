/**
 * Layout of a frame:
 * `u32 length of the rest | u8 kind | u32 stream id | u32 head length | head (UTF-8 JSON) | body (bytes)`, big-endian.
 */
export interface Frame {
  readonly kind: number;
  /** Ties the frames of one exchange together; 0 where a connection has only one. */
  readonly streamId: number;
  /** UTF-8 JSON, not parsed. A view of the bytes received: valid as long as it is referenced, never written to. */
  readonly head: Buffer;
  /** A view as `head` is. */
  readonly body: Buffer;
}

/** The length field itself. */
export const LENGTH_BYTES = 4;
/** Kind, stream id and head length. */
export const FIXED_BYTES = 9;

export interface FrameLimits {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

/** A body is an event or a result of at most 6 MB; what is above may still be named as too large by the receiver. */
export const DEFAULT_FRAME_LIMITS: FrameLimits = { maxHeadBytes: 1024 * 1024, maxBodyBytes: 8 * 1024 * 1024 };
