/**
 * Flow control of one direction of a stream: its sender may have so many bytes under way that the receiver has not
 * taken yet. Both ends begin with the same number.
 */

/** Pieces of a body are at most this long, so that streams on one connection take turns. */
export const MAX_PIECE_BYTES = 64 * 1024;

/** The sending end. Invariant: what was sent and not granted back is never more than the window. */
export class SendWindow {
  private free: number;

  constructor(private readonly windowBytes: number) {
    this.free = windowBytes;
  }

  /** Bytes that may be sent now. */
  get freeBytes(): number {
    return this.free;
  }

  /** @returns how many of `bytes` may be sent as the next piece, and counts them as sent; 0 when the window is used up */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.free, MAX_PIECE_BYTES);
    this.free -= taken;
    return taken;
  }

  /** The receiver has taken so many bytes. More than were sent cannot be granted: a peer that says so is not believed. */
  grant(bytes: number): void {
    if (bytes > 0) this.free = Math.min(this.windowBytes, this.free + bytes);
  }
}

/** The receiving end: watches that the sender keeps to the window, and says when to grant more of it. */
export class ReceiveWindow {
  private open: number;
  private taken = 0;
  private readonly grantFromBytes: number;

  constructor(windowBytes: number) {
    this.open = windowBytes;
    // Half of it: fewer grants, and the sender never waits for one while the receiver keeps up.
    this.grantFromBytes = windowBytes / 2;
  }

  /** @returns false when the sender has sent more than it was allowed */
  received(bytes: number): boolean {
    this.open -= bytes;
    return this.open >= 0;
  }

  /** The consumer has taken so many bytes. @returns what to grant to the sender now, often 0 */
  consumed(bytes: number): number {
    this.taken += bytes;
    if (this.taken < this.grantFromBytes) return 0;
    const grant = this.taken;
    this.taken = 0;
    this.open += grant;
    return grant;
  }

  /** For who passes grants of another on: the sender may send so much more. */
  granted(bytes: number): void {
    this.open += bytes;
  }
}
