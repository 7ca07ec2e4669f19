import type { BusAdmin } from './admin.js';
import { FollowReader } from './follow-reader.js';
import type { KafkaFactory } from './kafka.factory.js';
import { retryUntilDone } from './retry.js';
import type { KafkaTable } from './table.js';

type AnyTable = KafkaTable<unknown>;

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * Reads the tables of a process. Tables that are asked for while the others still wait, as all of a service are that starts, share one
 * reader: a member of a group, with its connections and heartbeats, for each of them costs both sides a good part of the start.
 *
 * States of a table: waiting (for its turn, for Kafka, for its topic) → read by one reader until `stop`.
 */
export class TableReaders {
  private waiting: AnyTable[] = [];
  private readonly readers = new Map<string, FollowReader>();
  private readonly stopping = new AbortController();
  private working: Promise<void> | undefined;

  /** @param opened resolves when it is worth to try: Kafka is there. Never rejects. */
  constructor(
    private readonly factory: KafkaFactory,
    private readonly admin: BusAdmin,
    private readonly opened: () => Promise<void>,
  ) {}

  add(table: AnyTable): void {
    this.waiting.push(table);
    this.working ??= this.work();
  }

  /** The next offset that will be read. */
  position(topic: string, partition: number): number {
    return this.readers.get(topic)?.position(topic, partition) ?? 0;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.working;
    await Promise.all([...new Set(this.readers.values())].map((reader) => reader.stop()));
  }

  private async work(): Promise<void> {
    await this.opened();
    const { signal } = this.stopping;
    while (this.waiting.length > 0 && !signal.aborted) {
      await retryUntilDone(() => this.startWaiting(), {
        signal,
        firstDelayMs: FIRST_RETRY_MS,
        maxDelayMs: MAX_RETRY_MS,
        onError: (error) => this.factory.logger.debug({ error }, 'tables wait for Kafka'),
      });
    }
    this.working = undefined;
  }

  /** Starts one reader for all whose topics are there. @throws while others are left */
  private async startWaiting(): Promise<void> {
    const offsets = await this.admin.offsetsOfPresent(this.waiting.map(({ name }) => name));
    if (this.stopping.signal.aborted) return;
    const begun = this.waiting.filter(({ name }) => offsets.has(name));
    this.waiting = this.waiting.filter(({ name }) => !offsets.has(name));
    if (begun.length > 0) {
      const followed = begun.map((table) => table.begin(offsets.get(table.name) ?? []));
      const reader = new FollowReader(this.factory, this.admin, 'tables', followed);
      for (const { name } of begun) this.readers.set(name, reader);
    }
    if (this.waiting.length > 0)
      throw new Error(`no topic ${this.waiting.map(({ name }) => name).join(', ')} yet`);
  }
}
