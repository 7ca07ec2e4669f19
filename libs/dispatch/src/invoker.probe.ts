import { connect } from 'node:net';
import { dispatchFrame } from '@openscf/contracts';
import { FrameSocket } from '@openscf/framing';
import type { Endpoint } from './endpoint.policy.js';

/** From the end of one try to the next. */
const TRY_AGAIN_MS = 1_000;

/** Asks an invoker that had become silent until it answers, and says so once. One connection waits; no call rides on it. */
export class InvokerProbe {
  private frames: FrameSocket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly onAnswer: () => void,
  ) {
    this.ask();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.frames?.destroy();
  }

  private ask(): void {
    const socket = connect(this.endpoint);
    socket.unref();
    this.frames = new FrameSocket(socket, {
      onFrame: (frame) => {
        if (frame.kind !== dispatchFrame.pong || this.closed) return;
        this.close();
        this.onAnswer();
      },
      onClose: () => {
        if (!this.closed) this.timer = setTimeout(() => this.ask(), TRY_AGAIN_MS).unref();
      },
    });
    this.frames.send(dispatchFrame.ping, 0, '{}');
  }
}
