import { topics, type AsyncEvent } from '@openscf/contracts';
import type { Bus, IncomingMessage, Subscription } from '@openscf/bus';
import { HeldEvent, type EventCustody } from './event-custody.service.js';
import { eventFunctionKey } from './event-runner.service.js';
import type { EventWorker } from './event-worker.service.js';
import type { FunctionSlots } from './function-slots.policy.js';
import type { ParkedEventRepository, QueuedEvent } from './parked-event.repository.js';
import { NO_PROGRESS } from './retry.policy.js';

/** An attempt that lasts longer than this moves to a leased row, so that its partition goes on. */
const HOLD_MS = 2_000;
/** A record older than this may be one that was read before and whose event is in a row already. */
const FRESH_MS = 1_000;
/** Records under way at once: more than attempts, because each may wait for PostgreSQL. */
const CONCURRENCY = 512;
const PARK_RETRY_MS = 1_000;
/** Events that were done this long before a crash run again after it. */
const COMMIT_DELAY_MS = 100;

export interface EventsConsumerOptions {
  readonly bus: Pick<Bus, 'consume'>;
  readonly rows: ParkedEventRepository;
  readonly slots: FunctionSlots;
  readonly worker: EventWorker;
  readonly custody: EventCustody;
  readonly stopped: AbortSignal;
}

/**
 * Reads `openscf.events`. A record is handled, and its offset may be committed, once its event is done, dead-lettered or in a
 * row: see the invariants in event-custody.service.ts. An event whose function has no slot goes to a row at once.
 */
export class EventsConsumer {
  private subscription: Subscription | undefined;

  constructor(private readonly options: EventsConsumerOptions) {}

  start(): void {
    this.subscription = this.options.bus.consume({
      topic: topics.events,
      groupId: 'openscf.scheduler.events',
      concurrency: CONCURRENCY,
      order: 'none',
      commitDelayMs: COMMIT_DELAY_MS,
      handle: (message) => this.handle(message),
    });
  }

  get connected(): boolean {
    return this.subscription?.connected ?? false;
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.subscription?.stop(timeoutMs);
  }

  private async handle(message: IncomingMessage<AsyncEvent>): Promise<void> {
    const { rows, custody, slots, worker } = this.options;
    const event = message.value;
    if (worker.wasDone(event.requestId)) return;
    if (Date.now() - message.timestampMs > FRESH_MS && (await this.isInRow(event.requestId))) return;
    const queued: QueuedEvent = {
      event,
      functionKey: eventFunctionKey(event),
      progress: NO_PROGRESS,
      traceparent: message.headers['traceparent'],
    };
    custody.counters.accepted += 1;
    if (!(await this.acquireSlot(queued.functionKey, () => rows.park(queued, Date.now())))) {
      custody.counters.parked += 1;
      slots.backlog.add(queued.functionKey);
      return;
    }
    const sooner = worker.find(event.requestId);
    if (sooner !== undefined) {
      slots.release(queued.functionKey, 'refused');
      return this.settledOrMoved(sooner.held, sooner.ended);
    }
    const held = new HeldEvent(queued);
    await this.settledOrMoved(held, worker.run(held));
  }

  /** True with a slot; false when the event was parked instead. While PostgreSQL is away it waits for either. */
  private async acquireSlot(functionKey: string, park: () => Promise<void>): Promise<boolean> {
    const { slots, stopped } = this.options;
    for (;;) {
      stopped.throwIfAborted();
      if (!slots.backlog.has(functionKey) && slots.tryAcquire(functionKey)) return true;
      try {
        await park();
        return false;
      } catch {
        await slotOrTime(slots, PARK_RETRY_MS);
        if (slots.tryAcquire(functionKey)) return true;
      }
    }
  }

  private async settledOrMoved(held: HeldEvent, ended: Promise<void>): Promise<void> {
    let over = false;
    const end = ended.finally(() => {
      over = true;
    });
    for (;;) {
      await endOrTime(end, HOLD_MS);
      if (over) return end;
      if (held.keeper.kind === 'kafka' && !(await this.options.custody.move(held))) continue;
      // The row answers for it from here on.
      end.catch(() => undefined);
      return;
    }
  }

  private async isInRow(requestId: string): Promise<boolean> {
    try {
      return await this.options.rows.has(requestId);
    } catch {
      // PostgreSQL is away: running the event twice is allowed, keeping it back is not needed.
      return false;
    }
  }
}

async function endOrTime(end: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([end, time]);
  } finally {
    clearTimeout(timer);
  }
}

function slotOrTime(slots: FunctionSlots, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      stopListening();
      resolve();
    };
    const timer = setTimeout(finish, ms);
    const stopListening = slots.onRelease(finish);
  });
}
