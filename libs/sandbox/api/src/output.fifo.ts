import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** File mode of the FIFO `output` for `mkfifo -m`: instances may write to it, and nothing else. */
export const OUTPUT_FIFO_MODE = '622';

/**
 * The reading end of a FIFO. Opened before the first writer, so that no byte is missed and no writer waits; it ends when
 * the last writer is gone.
 */
export async function openFifo(path: string): Promise<Readable> {
  const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}
