import { PlatformError, topics, type InvocationRecord, type LogLines, type Topic } from '@openscf/contracts';
import { splitLines, weightOf } from './line-batches.policy.js';

/** What is used of the bus. */
export interface RecordBus {
  publish<T>(topic: Topic<T>, messages: readonly { key: string | null; value: T | null }[]): Promise<void>;
}

export interface ShippingLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

interface Shipment {
  readonly record: InvocationRecord | undefined;
  readonly lines: LogLines;
  readonly weight: number;
}

/** How long the first shipment of a batch waits for others. */
const BATCH_MS = 20;
const MAX_BATCH = 500;
/** Below Kafka's limit of a request, with room for its own bytes. */
const MAX_BATCH_WEIGHT = 400 * 1024;
/** What is kept while Kafka is away. Beyond it the newest are dropped, and that is said. */
export const SPOOL_BYTES = 64 * 1024 * 1024;
const RETRY_MS = { first: 250, most: 5_000 };

/**
 * Brings records and lines to Kafka, behind the answers: in batches, in order, each tried until it is stored. A batch that was
 * stored in part is sent again whole; readers know records by request id and number.
 *
 * 1. `ship` never waits and never throws.
 * 2. What is kept never exceeds `SPOOL_BYTES`.
 */
export class RecordShipper {
  private waiting: Shipment[] = [];
  private keptBytes = 0;
  private dropped = 0;
  private timer: NodeJS.Timeout | undefined;
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

  ship(record: InvocationRecord, lines: LogLines): void {
    splitLines(lines).forEach((part, index) => {
      const weight = weightOf(part) + (index === 0 ? record.result.length : 0);
      if (this.keptBytes + weight > this.spoolBytes) {
        this.drop();
        return;
      }
      this.keptBytes += weight;
      this.waiting.push({ record: index === 0 ? record : undefined, lines: part, weight });
    });
    if (this.timer === undefined && this.sending === undefined) this.schedule(BATCH_MS);
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

  private schedule(afterMs: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.sending = this.sendAll().finally(() => {
        this.sending = undefined;
        if (this.waiting.length > 0 && !this.stopped) this.schedule(BATCH_MS);
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
    const most = Math.min(MAX_BATCH, this.waiting.length);
    let count = 0;
    while (count < most && (count === 0 || weight < MAX_BATCH_WEIGHT))
      weight += this.waiting[count++]?.weight ?? 0;
    return this.waiting.slice(0, count);
  }

  private async send(batch: readonly Shipment[]): Promise<void> {
    const records = batch.flatMap(({ record }) =>
      record === undefined ? [] : [{ key: record.requestId, value: record }],
    );
    const lines = batch.map((shipment) => ({ key: shipment.lines.requestId, value: shipment.lines }));
    await Promise.all([
      this.bus.publish(topics.logLines, lines),
      records.length > 0 ? this.bus.publish(topics.invocations, records) : undefined,
    ]);
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
