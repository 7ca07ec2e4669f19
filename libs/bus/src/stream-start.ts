import type { BusAdmin } from './admin.js';
import type { StreamOptions } from './bus.types.js';

/**
 * Where a stream begins a partition that its group has never committed. `latest` means the end at the time when the stream was made, so
 * it is looked up at once and remembered; a topic or partition that came later is read from its beginning.
 */
export class StreamStart {
  private looking: Promise<ReadonlyMap<number, number>> | undefined;

  constructor(
    private readonly admin: BusAdmin,
    private readonly topicName: string,
    private readonly startAt: StreamOptions['startAt'],
  ) {
    if (startAt === 'latest') this.look().catch(() => undefined);
  }

  async offsetOf(partition: number): Promise<number> {
    if (this.startAt === 'earliest') return this.lowOf(partition);
    if (this.startAt !== 'latest') {
      return (await this.admin.offsetsAt(this.topicName, this.startAt)).get(partition) ?? 0;
    }
    return (await this.look()).get(partition) ?? this.lowOf(partition);
  }

  private async lowOf(partition: number): Promise<number> {
    const found = (await this.admin.offsets(this.topicName)).find((entry) => entry.partition === partition);
    return found?.low ?? 0;
  }

  private look(): Promise<ReadonlyMap<number, number>> {
    this.looking ??= this.ends().catch((error: unknown) => {
      this.looking = undefined;
      throw error;
    });
    return this.looking;
  }

  private async ends(): Promise<ReadonlyMap<number, number>> {
    if (!(await this.admin.topicExists(this.topicName))) return new Map();
    const offsets = await this.admin.offsets(this.topicName);
    return new Map(offsets.map(({ partition, high }) => [partition, high]));
  }
}
