import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OUTPUT_FIFO_MODE } from '@openscf/sandbox-api';
import type { Host } from './host.types.js';

/** FIFOs made by one `mkfifo`. */
const BATCH = 16;

/** Node.js cannot make a FIFO, and a process for each would be on the path of a start: so they are made ahead. */
export class FifoPool {
  private readonly free: string[] = [];
  private made = 0;
  private filling: Promise<void> | undefined;

  constructor(
    private readonly host: Host,
    private readonly folder: string,
  ) {}

  async take(): Promise<string> {
    while (this.free.length === 0) await this.fill();
    const fifo = this.free.pop() as string;
    if (this.free.length < BATCH / 2) this.fill().catch(() => undefined);
    return fifo;
  }

  async remove(fifo: string): Promise<void> {
    await rm(fifo, { force: true });
  }

  fill(): Promise<void> {
    this.filling ??= this.make().finally(() => (this.filling = undefined));
    return this.filling;
  }

  private async make(): Promise<void> {
    const names = Array.from({ length: BATCH }, () => join(this.folder, `${this.made++}`));
    await this.host.command('mkfifo', ['-m', OUTPUT_FIFO_MODE, ...names]);
    this.free.push(...names);
  }
}
