import type { Logger } from '@openscf/telemetry';
import type { EventCustody, HeldEvent } from './event-custody.service.js';
import type { EventRunner } from './event-runner.service.js';
import { RecentIds } from './recent-ids.policy.js';
import type { FunctionSlots, SlotEnd } from './function-slots.policy.js';

export interface RunningEvent {
  readonly held: HeldEvent;
  readonly ended: Promise<void>;
}

/** More than can be redelivered of what is between two commits. */
const REMEMBERED_DONE = 20_000;

/**
 * Runs held events, each with a slot that its caller has taken: one attempt, then what it has come to is kept. The slot is given
 * back when the attempt ends; keeping the outcome may take longer.
 */
export class EventWorker {
  private readonly running = new Map<string, RunningEvent>();
  private readonly done = new RecentIds(REMEMBERED_DONE);

  constructor(
    private readonly runner: EventRunner,
    private readonly custody: EventCustody,
    private readonly slots: FunctionSlots,
    private readonly logger: Logger,
  ) {}

  /** Rejects only when the process stops before the outcome could be kept; then the keeper has the event. */
  run(held: HeldEvent): Promise<void> {
    const { requestId } = held.queued.event;
    const ended = this.runOnce(held).finally(() => this.running.delete(requestId));
    this.running.set(requestId, { held, ended });
    return ended;
  }

  /** The attempt that is under way for an event. */
  find(requestId: string): RunningEvent | undefined {
    return this.running.get(requestId);
  }

  /** True for an event that was done here lately: its record came twice, or is read again after trouble with Kafka. */
  wasDone(requestId: string): boolean {
    return this.done.has(requestId);
  }

  get inFlight(): number {
    return this.running.size;
  }

  /** Waits until nothing runs, at most `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    const all = Promise.allSettled([...this.running.values()].map(({ ended }) => ended));
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
    if (decision.kind === 'done') this.done.add(held.queued.event.requestId);
  }
}

function slotEnd(kind: string | undefined): SlotEnd {
  if (kind === 'throttled') return 'throttled';
  return kind === 'succeeded' || kind === 'failed' ? 'ran' : 'refused';
}
