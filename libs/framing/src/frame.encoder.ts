import { FIXED_BYTES, LENGTH_BYTES } from './frame.types.js';

const NO_BYTES = Buffer.alloc(0);

/** What a head may be: an object is encoded as JSON, bytes are taken as they are. */
export type FrameHead = object | string | Buffer;

/** A frame that waits to be written. */
export interface OutgoingFrame {
  readonly kind: number;
  readonly streamId: number;
  readonly head: string | Buffer;
  readonly headBytes: number;
  readonly body: Buffer;
}

export function outgoingFrame(kind: number, streamId: number, head: FrameHead, body?: Buffer): OutgoingFrame {
  const encoded = Buffer.isBuffer(head) || typeof head === 'string' ? head : JSON.stringify(head);
  const headBytes = typeof encoded === 'string' ? Buffer.byteLength(encoded) : encoded.length;
  return { kind, streamId, head: encoded, headBytes, body: body ?? NO_BYTES };
}

export function encodedBytes(frame: OutgoingFrame): number {
  return LENGTH_BYTES + FIXED_BYTES + frame.headBytes + frame.body.length;
}

/** Writes everything but the body at `offset` and returns the offset behind it. */
export function writePreamble(frame: OutgoingFrame, target: Buffer, offset: number): number {
  target.writeUInt32BE(FIXED_BYTES + frame.headBytes + frame.body.length, offset);
  target.writeUInt8(frame.kind, offset + 4);
  target.writeUInt32BE(frame.streamId, offset + 5);
  target.writeUInt32BE(frame.headBytes, offset + 9);
  const at = offset + LENGTH_BYTES + FIXED_BYTES;
  if (typeof frame.head === 'string') target.write(frame.head, at, 'utf8');
  else frame.head.copy(target, at);
  return at + frame.headBytes;
}

/** One frame as bytes. On a socket use `FrameSocket`, which joins the frames of a tick. */
export function encodeFrame(kind: number, streamId: number, head: FrameHead, body?: Buffer): Buffer {
  const frame = outgoingFrame(kind, streamId, head, body);
  const bytes = Buffer.allocUnsafe(encodedBytes(frame));
  frame.body.copy(bytes, writePreamble(frame, bytes, 0));
  return bytes;
}
