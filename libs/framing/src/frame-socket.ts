import type { Socket } from 'node:net';
import { FrameDecoder } from './frame.decoder.js';
import {
  encodedBytes,
  outgoingFrame,
  writePreamble,
  type FrameHead,
  type OutgoingFrame,
} from './frame.encoder.js';
import { DEFAULT_FRAME_LIMITS, type Frame, type FrameLimits } from './frame.types.js';

/** Frames of a tick up to this many bytes are copied into one buffer; a larger body is handed over as it is. */
const COPIED_BODY_BYTES = 32 * 1024;

export interface FrameSocketOptions {
  /** Called for each frame, in order, before the next bytes are read. */
  readonly onFrame: (frame: Frame) => void;
  /** Called once, when nothing more can be sent or received, with the reason if there is one. */
  readonly onClose?: (error: Error | undefined) => void;
  readonly limits?: FrameLimits;
  /**
   * Stop reading while this many bytes wait to be sent to a peer that does not take them. For the answering side only: with
   * both sides pausing, two peers could wait for each other.
   */
  readonly pauseReadsAboveBytes?: number;
}

/**
 * Frames on a stream socket. Everything sent in one turn of the event loop leaves in one write, right after the loop has
 * handled the input of that turn. Owns the socket: destroys it on a FramingError.
 */
export class FrameSocket {
  private readonly decoder: FrameDecoder;
  private queue: OutgoingFrame[] = [];
  private closed = false;
  private paused = false;
  private failure: Error | undefined;
  private readonly flushLater = (): void => this.flush();

  constructor(
    private readonly socket: Socket,
    private readonly options: FrameSocketOptions,
  ) {
    this.decoder = new FrameDecoder(options.onFrame, options.limits ?? DEFAULT_FRAME_LIMITS);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('drain', () => this.resumeReads());
    socket.on('error', (error) => {
      this.failure ??= error;
    });
    socket.on('close', () => this.onSocketClose());
  }

  /** Bytes accepted by `send` that the kernel has not taken yet, without those of this tick. */
  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Queues a frame for this tick's write. Does nothing on a closed socket: `onClose` has said so or is about to. */
  send(kind: number, streamId: number, head: FrameHead, body?: Buffer): void {
    if (this.closed) return;
    if (this.queue.push(outgoingFrame(kind, streamId, head, body)) === 1) setImmediate(this.flushLater);
  }

  /** Sends what is queued, then closes. */
  end(): void {
    this.flush();
    this.socket.end();
  }

  destroy(error?: Error): void {
    this.failure ??= error;
    this.closed = true;
    this.queue = [];
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    if (this.closed) return;
    try {
      this.decoder.push(chunk);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private flush(): void {
    const frames = this.queue;
    if (this.closed || frames.length === 0) return;
    this.queue = [];
    this.writeAll(frames);
    const limit = this.options.pauseReadsAboveBytes;
    if (limit !== undefined && !this.paused && this.socket.writableLength > limit) {
      this.paused = true;
      this.socket.pause();
    }
  }

  private writeAll(frames: readonly OutgoingFrame[]): void {
    let copiedBytes = 0;
    let large = false;
    for (const frame of frames) {
      copiedBytes += encodedBytes(frame);
      if (frame.body.length > COPIED_BODY_BYTES) {
        large = true;
        copiedBytes -= frame.body.length;
      }
    }
    const target = Buffer.allocUnsafe(copiedBytes);
    if (!large) {
      let offset = 0;
      for (const frame of frames) {
        offset = writePreamble(frame, target, offset);
        offset += frame.body.copy(target, offset);
      }
      this.socket.write(target);
      return;
    }
    this.socket.cork();
    let start = 0;
    let offset = 0;
    for (const frame of frames) {
      offset = writePreamble(frame, target, offset);
      if (frame.body.length > COPIED_BODY_BYTES) {
        this.socket.write(target.subarray(start, offset));
        this.socket.write(frame.body);
        start = offset;
      } else {
        offset += frame.body.copy(target, offset);
      }
    }
    if (start < offset) this.socket.write(target.subarray(start, offset));
    this.socket.uncork();
  }

  private resumeReads(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  private onSocketClose(): void {
    this.closed = true;
    this.queue = [];
    this.options.onClose?.(this.failure);
  }
}
