import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameSocket } from './frame-socket.js';
import type { Frame } from './frame.types.js';

describe('FrameSocket', () => {
  let server: Server;
  let near: Socket;
  let far: Socket;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    [far] = (await once(server, 'connection')) as [Socket];
  });

  afterEach(() => {
    near.destroy();
    far.destroy();
    server.close();
  });

  function collect(
    socket: Socket,
    onClose?: (error: Error | undefined) => void,
  ): { frames: Frame[]; socket: FrameSocket } {
    const frames: Frame[] = [];
    return {
      frames,
      socket: new FrameSocket(socket, { onFrame: (f) => frames.push(f), ...(onClose && { onClose }) }),
    };
  }

  it('joins the frames of a tick in one write', async () => {
    const write = vi.spyOn(near, 'write');
    const sender = collect(near).socket;
    const receiver = collect(far);
    for (let id = 0; id < 50; id++) sender.send(1, id, { id }, Buffer.from('x'));
    await vi.waitFor(() => expect(receiver.frames).toHaveLength(50));
    expect(write).toHaveBeenCalledTimes(1);
    expect(receiver.frames.map((f) => f.streamId)).toEqual(Array.from({ length: 50 }, (_, id) => id));
  });

  it('keeps the order of small and large bodies', async () => {
    const sender = collect(near).socket;
    const receiver = collect(far);
    const bodies = [1, 200_000, 5, 3_000_000, 0, 40_000, 7].map((size, i) => Buffer.alloc(size, i));
    for (const [id, body] of bodies.entries()) sender.send(1, id, {}, body);
    await vi.waitFor(() => expect(receiver.frames).toHaveLength(bodies.length));
    expect(receiver.frames.every((f) => f.body.equals(bodies[f.streamId] ?? Buffer.alloc(0)))).toBe(true);
  });

  it('closes a connection that does not carry frames and says why', async () => {
    const closed = vi.fn();
    collect(far, closed);
    near.write(Buffer.alloc(32, 0xff));
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
    expect(closed.mock.calls[0]?.[0]).toMatchObject({ name: 'FramingError' });
  });

  it('sends what is queued before it ends', async () => {
    const sender = collect(near).socket;
    const receiver = collect(far);
    sender.send(3, 9, { last: true });
    sender.end();
    await vi.waitFor(() => expect(receiver.frames).toHaveLength(1));
  });

  it('stops reading from a peer that does not take its answers', async () => {
    const answers = { bytes: 0 };
    const echo = new FrameSocket(far, {
      pauseReadsAboveBytes: 1024 * 1024,
      onFrame: (f) => echo.send(2, f.streamId, f.head, f.body),
    });
    near.pause();
    const asking = new FrameSocket(near, { onFrame: (f) => (answers.bytes += f.body.length) });
    near.pause();
    const body = Buffer.alloc(512 * 1024);
    for (let id = 0; id < 60; id++) asking.send(1, id, {}, body);
    await vi.waitFor(() => expect(far.isPaused()).toBe(true));
    near.resume();
    await vi.waitFor(() => expect(answers.bytes).toBe(60 * body.length), { timeout: 5_000 });
  });
});
