import { PlatformError, topics, type InvocationRecord, type LogLines, type Topic } from '@openscf/contracts';
import { grouped, splitLines, weightOfLines, weightOfRecord } from './batches.policy.js';

/** What is used of the bus. */
export interface RecordBus {
  publish<T>(topic: Topic<T>, messages: readonly { key: string | null; value: T | null }[]): Promise<void>;
}

export interface ShippingLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A record, or a part of what was printed; of one attempt the record comes last. */
interface Shipment {
  readonly record?: InvocationRecord;
  readonly lines?: LogLines;
  readonly weight: number;
}

/** Batches of a busy invoker leave so far apart: a call shares their cost with all others of that time. */
const BATCH_MS = 100;
/** How long a shipment waits for others when none has left for long. */
const FIRST_MS = 10;
/**
 * Records follow their printed lines so much later: Kafka keeps no order between topics, and a fetch that is being answered may see
 * the record already and the lines not yet.
 */
const LINES_LEAD_MS = 25;
/** What is sent at once. */
const MAX_BATCH_WEIGHT = 600 * 1024;
/** What is kept while Kafka is away. Beyond it the newest are dropped, and that is said. */
export const SPOOL_BYTES = 64 * 1024 * 1024;
const RETRY_MS = { first: 250, most: 5_000 };

/** Someone who waits until the first `count` shipments are stored. */
interface Waiter {
  readonly count: number;
  readonly resolve: () => void;
}

/**
 * Brings records and printed lines to Kafka, behind the answers: in batches, in order, each tried until it is stored. A batch
 * that was stored in part is sent again whole; readers know records by request id and number.
 *
 * 1. `ship` never waits and never throws.
 * 2. What is kept never exceeds `SPOOL_BYTES`.
 * 3. Batches leave `BATCH_MS` apart, or `FIRST_MS` when someone waits for what they hold.
 * 4. The printed lines of an attempt are stored before its record, so that a log that is found is whole.
 */
export class RecordShipper {
  private waiting: Shipment[] = [];
  private keptBytes = 0;
  /** Shipments that were ever kept, and those of them that are stored or were refused for ever. */
  private kept = 0;
  private settled = 0;
  private readonly waiters: Waiter[] = [];
  private dropped = 0;
  private timer: NodeJS.Timeout | undefined;
  private sentAt = 0;
  private sending: Promise<void> | undefined;
  private stopped = false;
  private givenUp = false;
  private onGivenUp: () => void = () => undefined;
  /** Ends the pause between two tries. */
  private wake: () => void = () => undefined;

  constructor(
    private readonly bus: RecordBus,
    private readonly logger: ShippingLogger,
    private readonly spoolBytes = SPOOL_BYTES,
  ) {}

  /** Records and lines that Kafka does not have yet. */
  get backlog(): number {
    return this.waiting.length;
  }

  ship(record: InvocationRecord, printed: LogLines | undefined): void {
    if (printed !== undefined) {
      for (const lines of splitLines(printed)) this.keep({ lines, weight: weightOfLines(lines) });
    }
    this.keep({ record, weight: weightOfRecord(record) });
    if (this.timer === undefined && this.sending === undefined) this.schedule();
  }

  /** Resolves when all that was shipped so far is in Kafka, at the latest after `mostMs`. */
  async stored(mostMs: number): Promise<void> {
    if (this.settled === this.kept) return;
    if (this.waiters.length === 0 && this.timer !== undefined) {
      clearTimeout(this.timer);
      this.schedule(FIRST_MS);
    }
    await new Promise<void>((resolve) => {
      const waiter = { count: this.kept, resolve };
      this.waiters.push(waiter);
      setTimeout(() => {
        const at = this.waiters.indexOf(waiter);
        if (at >= 0) this.waiters.splice(at, 1);
        resolve();
      }, mostMs).unref();
    });
  }

  /** Sends what is left, as far as it can by `deadlineMs` (ms since the epoch). */
  async stop(deadlineMs: number): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.sending ??= this.sendAll();
    const late = setTimeout(() => this.giveUp(), Math.max(0, deadlineMs - Date.now()));
    await Promise.race([this.sending, new Promise<void>((resolve) => (this.onGivenUp = resolve))]);
    clearTimeout(late);
    if (this.waiting.length > 0)
      this.logger.warn({ lost: this.waiting.length }, 'records could not be stored before the end');
  }

  private keep(shipment: Shipment): void {
    if (this.keptBytes + shipment.weight > this.spoolBytes) {
      this.drop();
      return;
    }
    this.keptBytes += shipment.weight;
    this.kept++;
    this.waiting.push(shipment);
  }

  private schedule(apartMs = this.waiters.length > 0 ? FIRST_MS : BATCH_MS): void {
    const afterMs = Math.max(FIRST_MS, this.sentAt + apartMs - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.sentAt = Date.now();
      this.sending = this.sendAll().finally(() => {
        this.sending = undefined;
        if (this.waiting.length > 0 && !this.stopped) this.schedule();
      });
    }, afterMs);
  }

  private async sendAll(): Promise<void> {
    let retryMs = RETRY_MS.first;
    while (this.waiting.length > 0 && !this.givenUp) {
      const batch = this.nextBatch();
      try {
        await this.send(batch);
      } catch (error) {
        if (error instanceof PlatformError && !error.retryable) {
          // It would be refused for ever, and hold up all that follow.
          this.logger.warn({ error, lost: batch.length }, 'records were refused and dropped');
          this.forget(batch);
          continue;
        }
        if (retryMs === RETRY_MS.first)
          this.logger.warn({ error, backlog: this.backlog }, 'records wait for Kafka');
        await this.pause(retryMs);
        retryMs = Math.min(RETRY_MS.most, retryMs * 2);
        continue;
      }
      this.forget(batch);
      if (retryMs > RETRY_MS.first) this.logger.info({ backlog: this.backlog }, 'records flow again');
      retryMs = RETRY_MS.first;
      this.noteDropped();
    }
  }

  private forget(batch: readonly Shipment[]): void {
    this.waiting.splice(0, batch.length);
    for (const { weight } of batch) this.keptBytes -= weight;
    this.settled += batch.length;
    // In order of `count`: the first ones were shipped first.
    while (this.waiters[0] !== undefined && this.waiters[0].count <= this.settled)
      this.waiters.shift()?.resolve();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private giveUp(): void {
    this.givenUp = true;
    this.wake();
    this.onGivenUp();
  }

  private nextBatch(): Shipment[] {
    let weight = 0;
    let count = 0;
    for (const shipment of this.waiting) {
      weight += shipment.weight;
      if (count > 0 && weight > MAX_BATCH_WEIGHT) break;
      count++;
    }
    return this.waiting.slice(0, count);
  }

  private async send(batch: readonly Shipment[]): Promise<void> {
    const lines: LogLines[] = [];
    const records: InvocationRecord[] = [];
    for (const shipment of batch) {
      if (shipment.lines) lines.push(shipment.lines);
      if (shipment.record) records.push(shipment.record);
    }
    if (lines.length > 0) {
      await this.publish(topics.logLines, grouped(lines, weightOfLines));
      await this.pause(LINES_LEAD_MS);
    }
    await this.publish(topics.invocations, grouped(records, weightOfRecord));
  }

  private async publish<T>(topic: Topic<T>, values: readonly T[]): Promise<void> {
    if (values.length === 0) return;
    // Without a key: which partition a batch lies in does not matter.
    await this.bus.publish(
      topic,
      values.map((value) => ({ key: null, value })),
    );
  }

  private drop(): void {
    if (this.dropped++ === 0)
      this.logger.warn({ spoolBytes: this.spoolBytes }, 'records are dropped: the spool is full');
  }

  private noteDropped(): void {
    if (this.dropped === 0) return;
    this.logger.warn({ dropped: this.dropped }, 'records were dropped while Kafka was away');
    this.dropped = 0;
  }
}
