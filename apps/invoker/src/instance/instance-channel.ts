import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { FrameSocket, type Frame, type FrameHead } from '@openscf/framing';

export interface InstanceChannelEvents {
  /** The bootstrap has connected. */
  readonly onConnect: () => void;
  readonly onFrame: (frame: Frame) => void;
  /** The connection is gone; called only after `onConnect`, and not after `close`. */
  readonly onClose: () => void;
}

/** The invoker's end of an instance's unix socket. The first to connect is the bootstrap; nobody else is let in. */
export class InstanceChannel {
  private frames: FrameSocket | undefined;
  private closed = false;

  private constructor(
    private readonly server: Server,
    private readonly events: InstanceChannelEvents,
  ) {
    server.on('connection', (socket) => {
      if (this.frames !== undefined || this.closed) {
        socket.destroy();
        return;
      }
      server.close();
      this.frames = new FrameSocket(socket, {
        onFrame: (frame) => {
          if (!this.closed) events.onFrame(frame);
        },
        onClose: () => {
          if (!this.closed) events.onClose();
        },
      });
      this.events.onConnect();
    });
  }

  /** Resolves when an instance can connect. */
  static async listen(path: string, events: InstanceChannelEvents): Promise<InstanceChannel> {
    const server = createServer();
    const channel = new InstanceChannel(server, events);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    // The instance's user is not the owner of the socket.
    await chmod(path, 0o666);
    return channel;
  }

  send(kind: number, streamId: number, head: FrameHead, body?: Buffer): void {
    this.frames?.send(kind, streamId, head, body);
  }

  get bufferedBytes(): number {
    return this.frames?.bufferedBytes ?? 0;
  }

  close(): void {
    this.closed = true;
    this.frames?.destroy();
    this.server.close();
  }
}
