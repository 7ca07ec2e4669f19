import { connect } from 'node:net';

/** Where something listens; a bare number is a port of this machine. */
export type Place = number | { host: string; port: number };

export function hostAndPort(place: Place): { host: string; port: number } {
  return typeof place === 'number' ? { host: '127.0.0.1', port: place } : place;
}

/**
 * Connects, sends the request and hands every byte that arrives to `read` until that returns a value.
 * Rejects after `timeoutMs`, or when the other side closes before.
 */
export function ask<T>(
  place: Place,
  request: Buffer,
  read: (received: Buffer) => T | undefined,
  timeoutMs = 1_500,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let received = Buffer.alloc(0);
    const { host, port } = hostAndPort(place);
    const socket = connect({ host, port }, () => socket.write(request));
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(reason));
    };
    socket.setTimeout(timeoutMs, () => fail(`no answer on port ${port} within ${timeoutMs} ms`));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail(`port ${port} closed the connection`));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const answer = read(received);
        if (answer === undefined) return;
        resolve(answer);
      } catch (error) {
        reject(error as Error);
      }
      socket.destroy();
    });
  });
}
