import type { Logger } from '@openscf/telemetry';
import { HeldEvent, type EventCustody } from './event-custody.service.js';
import type { EventRunner } from './event-runner.service.js';
import type { FunctionSlots, SlotEnd } from './function-slots.policy.js';

/**
 * Runs held events, each with a slot that its caller has taken: one attempt, then what it has come to is kept. The slot is given
 * back when the attempt ends; keeping the outcome may take longer.
 */
export class EventWorker {
  private readonly running = new Map<HeldEvent, Promise<void>>();

  constructor(
    private readonly runner: EventRunner,
    private readonly custody: EventCustody,
    private readonly slots: FunctionSlots,
    private readonly logger: Logger,
  ) {}

  /** Rejects only when the process stops before the outcome could be kept; then the keeper has the event. */
  run(held: HeldEvent): Promise<void> {
    const ended = this.runOnce(held).finally(() => this.running.delete(held));
    this.running.set(held, ended);
    return ended;
  }

  get inFlight(): number {
    return this.running.size;
  }

  /** Waits until nothing runs, at most `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    const all = Promise.allSettled(this.running.values());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
    if (this.running.size > 0)
      this.logger.info({ running: this.running.size }, 'attempts left to the next worker');
  }

  private async runOnce(held: HeldEvent): Promise<void> {
    const { functionKey } = held.queued;
    let end: SlotEnd = 'refused';
    let decision;
    try {
      const result = await this.runner.attempt(held.queued);
      decision = result.decision;
      end = slotEnd(result.outcome?.kind);
    } finally {
      this.slots.release(functionKey, end);
    }
    await this.custody.settle(held, decision);
  }
}

function slotEnd(kind: string | undefined): SlotEnd {
  if (kind === 'throttled') return 'throttled';
  return kind === 'succeeded' || kind === 'failed' ? 'ran' : 'refused';
}
