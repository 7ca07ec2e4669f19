import type { Topic } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { KafkaMessage } from 'kafkajs';
import type { BusAdmin, PartitionOffsets } from './admin.js';
import type { CompactedTable, TableListener } from './bus.types.js';
import type { FollowedTopic } from './follow-reader.js';
import { decode } from './record.codec.js';
import { retryUntilDone } from './retry.js';
import { TableState } from './table-state.js';

/**
 * A compacted topic as a map. It is told the end of the topic, reads from the beginning, and is ready when it has come so far; then
 * it follows for ever. A record that cannot be read is logged and passed over: the key keeps its last good value.
 */
export class KafkaTable<T> implements CompactedTable<T> {
  readonly ready: Promise<void>;
  private markReady: () => void = () => undefined;
  private becameReady = false;
  private resetting = false;
  private readonly state = new TableState<T>();
  /** Per partition the offset that must be reached to be up to date (as of the start, or of a reset). */
  private goals = new Map<number, number>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly topic: Topic<T>,
    private readonly admin: BusAdmin,
    private readonly logger: Logger,
    /** The next offset of a partition that its reader will take. */
    private readonly position: (partition: number) => number,
  ) {
    this.ready = new Promise((resolve) => {
      this.markReady = resolve;
    });
  }

  get name(): string {
    return this.topic.name;
  }

  get isReady(): boolean {
    return this.becameReady;
  }

  get size(): number {
    return this.state.size;
  }

  get(key: string): T | undefined {
    return this.state.get(key);
  }

  values(): IterableIterator<T> {
    return this.state.values();
  }

  entries(): IterableIterator<[string, T]> {
    return this.state.entries();
  }

  onChange(listener: TableListener<T>): () => void {
    return this.state.onChange(listener);
  }

  waitFor(written: { key: string; revision: number | null }, timeoutMs: number): Promise<boolean> {
    return this.state.waitFor(written, timeoutMs);
  }

  /** From now on it is read, by a reader that it is told to. @returns what to read, and what to do with it */
  begin(offsets: readonly PartitionOffsets[]): FollowedTopic {
    this.goals = new Map(
      offsets.filter(({ low, high }) => high > low).map(({ partition, high }) => [partition, high]),
    );
    this.checkReady();
    return {
      name: this.name,
      start: new Map(offsets.map(({ partition, low }) => [partition, low])),
      onRecord: (partition, record) => this.take(partition, record),
      onFetched: (partition, next) => {
        if (next >= (this.goals.get(partition) ?? Infinity)) this.goals.delete(partition);
        this.checkReady();
      },
      onReset: () => void this.reset(),
    };
  }

  /** It waits for nothing any more. */
  stop(): void {
    this.stopping.abort();
  }

  private take(partition: number, record: KafkaMessage): void {
    const decoded = decode(this.topic, partition, record);
    switch (decoded.kind) {
      case 'message':
        if (decoded.message.key !== null) this.state.apply(decoded.message.key, decoded.message.value);
        return;
      case 'tombstone':
        this.state.apply(decoded.key, undefined);
        return;
      case 'unreadable': {
        const { reason } = decoded;
        const { offset } = record;
        this.logger.warn(
          { topic: this.topic.name, partition, offset, reason },
          'record cannot be read, passed over',
        );
      }
    }
  }

  private checkReady(): void {
    if (this.goals.size > 0 || this.resetting) return;
    this.state.endReset();
    if (this.becameReady) return;
    this.becameReady = true;
    this.markReady();
  }

  /** The topic was made again. What has not been written to it by now is gone once its present end is reached. */
  private async reset(): Promise<void> {
    this.resetting = true;
    this.state.beginReset();
    await retryUntilDone(
      async () => {
        for (const { partition, low, high } of await this.admin.offsets(this.topic.name)) {
          if (high > low && this.position(partition) < high) this.goals.set(partition, high);
        }
      },
      { signal: this.stopping.signal, onError: () => undefined },
    );
    this.resetting = false;
    this.checkReady();
  }
}
