/**
 * Files in the order of use:
 * - frame.types.ts: the layout and its limits
 * - frame.encoder.ts, frame.decoder.ts: frames to bytes and back
 * - frame-socket.ts: frames on a socket, one write per tick
 * - flow-window.ts: how much of a stream may be under way
 * - framing.errors.ts: what a peer can do wrong
 */
export * from './frame.types.js';
export { encodeFrame, type FrameHead } from './frame.encoder.js';
export { FrameDecoder } from './frame.decoder.js';
export { FrameSocket, type FrameSocketOptions } from './frame-socket.js';
export { MAX_PIECE_BYTES, ReceiveWindow, SendWindow } from './flow-window.js';
export { FramingError } from './framing.errors.js';
