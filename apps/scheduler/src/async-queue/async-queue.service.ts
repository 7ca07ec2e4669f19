import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from '@openscf/dispatch';
import type { Bus, CompactedTable } from '@openscf/bus';
import { UnavailableError, type FunctionState } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import { DeadLetterPublisher } from './dead-letter.publisher.js';
import { EventCustody, type Counters } from './event-custody.service.js';
import { EventRunner } from './event-runner.service.js';
import { EventWorker } from './event-worker.service.js';
import { EventsConsumer } from './events.consumer.js';
import { FunctionSlots } from './function-slots.policy.js';
import type { ParkedEventRepository } from './parked-event.repository.js';
import { ParkedEvents } from './parked-events.service.js';
import { WorkerLife } from './worker-life.service.js';
import type { WorkerRepository } from './worker.repository.js';

/** Kept of the time to end for giving rows back and committing. */
const RESIGN_MS = 2_000;
const PREPARE_RETRY_MS = 500;

export interface AsyncQueueOptions {
  readonly bus: Pick<Bus, 'consume' | 'publish'>;
  readonly functions: Pick<CompactedTable<FunctionState>, 'get'>;
  /** Resolves when calls can be dispatched. */
  readonly ready: Promise<unknown>;
  readonly dispatcher: Pick<Dispatcher, 'invoke'>;
  readonly rows: ParkedEventRepository;
  readonly workers: WorkerRepository;
  readonly total: number;
  readonly perFunction: number;
  readonly logger: Logger;
}

/** Since the start of this process, but for `waiting` and `leased`, which are in PostgreSQL (null while it is away). */
export interface QueueReport extends Counters {
  readonly running: number;
  readonly waiting: number | null;
  readonly leased: number | null;
}

/**
 * The async queue: reads events, runs them, parks what must wait. Its parts in the order of use: events.consumer (records
 * of Kafka) and parked-events (rows that are due) take slots of function-slots and give events to event-worker, which
 * makes an attempt (event-runner, retry.policy) and keeps what came of it (event-custody, dead-letter).
 */
export class AsyncQueue {
  private readonly stopping = new AbortController();
  private readonly custody: EventCustody;
  private readonly worker: EventWorker;
  private readonly consumer: EventsConsumer;
  private readonly parked: ParkedEvents;
  private readonly life: WorkerLife;

  constructor(private readonly options: AsyncQueueOptions) {
    const { bus, rows, logger, functions, dispatcher, total, perFunction } = options;
    const stopped = this.stopping.signal;
    const slots = new FunctionSlots({ total, perFunction });
    this.custody = new EventCustody(rows, new DeadLetterPublisher(bus), logger, stopped);
    const runner = new EventRunner({ functions, dispatcher, logger });
    this.worker = new EventWorker(runner, this.custody, slots, logger);
    this.consumer = new EventsConsumer({
      bus,
      rows,
      slots,
      worker: this.worker,
      custody: this.custody,
      stopped,
    });
    this.parked = new ParkedEvents({ rows, slots, worker: this.worker, logger });
    this.life = new WorkerLife(options.workers, logger);
  }

  /** Resolves when events are read from Kafka; parked ones follow when PostgreSQL is there. */
  async start(): Promise<void> {
    await this.options.ready;
    if (this.stopping.signal.aborted) return;
    this.consumer.start();
    void this.startRows();
  }

  get connected(): boolean {
    return this.consumer.connected;
  }

  async report(): Promise<QueueReport> {
    const rows = await this.options.rows.count().catch(() => ({ waiting: null, leased: null }));
    return { ...this.custody.counters, running: this.worker.inFlight, ...rows };
  }

  /** Takes nothing new, lets attempts end until shortly before `deadlineMs`, and gives the rest back. */
  async drain(deadlineMs: number): Promise<void> {
    const leftMs = () => Math.max(0, deadlineMs - RESIGN_MS - Date.now());
    this.parked.stop();
    await Promise.all([this.consumer.stop(leftMs()), this.worker.idle(leftMs())]);
    this.stopping.abort(new Error('the scheduler stops'));
    this.life.stop();
    await this.options.workers.resign().catch(() => undefined);
  }

  /** Waits for PostgreSQL as long as it takes; a migration that fails ends the process. */
  private async startRows(): Promise<void> {
    const { rows, workers } = this.options;
    const stopped = this.stopping.signal;
    while (!stopped.aborted) {
      try {
        await workers.prepare();
        break;
      } catch (error) {
        if (stopped.aborted) return;
        if (!(error instanceof UnavailableError)) throw error;
        await delay(PREPARE_RETRY_MS);
      }
    }
    if (stopped.aborted) return;
    rows.open();
    this.life.start();
    this.parked.start();
  }
}
