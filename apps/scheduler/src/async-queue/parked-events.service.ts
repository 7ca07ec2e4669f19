import type { Logger } from '@openscf/telemetry';
import { HeldEvent } from './event-custody.service.js';
import type { EventWorker } from './event-worker.service.js';
import type { FunctionSlots } from './function-slots.policy.js';
import type { ParkedEventRepository } from './parked-event.repository.js';

const POLL_MS = 500;
/** With a backlog a freed slot is filled this soon; not at once, so that several are filled by one claim. */
const REFILL_MS = 20;

export interface ParkedEventsOptions {
  readonly rows: ParkedEventRepository;
  readonly slots: FunctionSlots;
  readonly worker: EventWorker;
  readonly logger: Logger;
}

/** Takes parked events back when they are due, as many as there are slots for. */
export class ParkedEvents {
  private timer: NodeJS.Timeout | undefined;
  private nextPollAt = 0;
  private polling = false;
  private stopped = false;
  private away = false;
  private stopListening: () => void = () => undefined;

  constructor(private readonly options: ParkedEventsOptions) {}

  start(): void {
    this.stopListening = this.options.slots.onRelease(() => {
      if (this.options.slots.backlog.size > 0) this.pollWithin(REFILL_MS);
    });
    this.pollWithin(0);
  }

  stop(): void {
    this.stopped = true;
    this.stopListening();
    clearTimeout(this.timer);
  }

  private pollWithin(ms: number): void {
    if (this.stopped || this.polling) return;
    const at = Date.now() + ms;
    if (this.timer !== undefined && this.nextPollAt <= at) return;
    clearTimeout(this.timer);
    this.nextPollAt = at;
    this.timer = setTimeout(() => void this.poll(), ms);
  }

  private async poll(): Promise<void> {
    this.timer = undefined;
    this.polling = true;
    try {
      await this.claimAndRun();
      this.away = false;
    } catch (error) {
      if (!this.away) this.options.logger.warn({ error }, 'parked events cannot be read');
      this.away = true;
    } finally {
      this.polling = false;
      this.pollWithin(POLL_MS);
    }
  }

  private async claimAndRun(): Promise<void> {
    const { rows, slots, worker } = this.options;
    const allowed = slots.free;
    if (allowed === 0) return;
    const busy = slots.busy();
    const claimed = await rows.claim({ limit: allowed, perFunction: slots.perFunction, busy });
    const counts = new Map<string, number>();
    for (const { functionKey } of claimed) counts.set(functionKey, (counts.get(functionKey) ?? 0) + 1);
    this.noteBacklog(
      counts,
      new Map(busy.map(({ functionKey, free }) => [functionKey, free])),
      claimed.length === allowed,
    );
    for (const leased of claimed) {
      slots.acquire(leased.functionKey);
      void worker.run(new HeldEvent(leased, leased)).catch(() => undefined);
    }
  }

  /** A function that used all the slots it had may have more events due; one that did not has none. */
  private noteBacklog(counts: Map<string, number>, frees: Map<string, number>, clipped: boolean): void {
    const { slots } = this.options;
    for (const functionKey of new Set([...slots.backlog, ...counts.keys()])) {
      const free = frees.get(functionKey) ?? slots.perFunction;
      if (clipped || (counts.get(functionKey) ?? 0) >= free) slots.backlog.add(functionKey);
      else slots.backlog.delete(functionKey);
    }
  }
}
