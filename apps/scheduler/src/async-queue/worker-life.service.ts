import type { Logger } from '@openscf/telemetry';
import type { WorkerRepository } from './worker.repository.js';

const BEAT_MS = 3_000;
/** A worker that was not seen for this long is dead or cut off; what it had leased runs again elsewhere. */
export const WORKER_LOST_AFTER_MS = 15_000;

/**
 * Says that this worker lives and takes back what dead ones had leased. When PostgreSQL was away nobody was seen, so a worker judges
 * the others only after it has itself been seen for `WORKER_LOST_AFTER_MS` without a gap.
 */
export class WorkerLife {
  private timer: NodeJS.Timeout | undefined;
  private seenSince: number | undefined;
  private stopped = false;

  constructor(
    private readonly workers: Pick<WorkerRepository, 'beat' | 'reclaim'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setTimeout(() => void this.beat(), 0);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async beat(): Promise<void> {
    try {
      await this.workers.beat();
      this.seenSince ??= Date.now();
      if (Date.now() - this.seenSince >= WORKER_LOST_AFTER_MS) await this.reclaim();
    } catch {
      this.seenSince = undefined;
    } finally {
      if (!this.stopped) this.timer = setTimeout(() => void this.beat(), BEAT_MS);
    }
  }

  private async reclaim(): Promise<void> {
    const events = await this.workers.reclaim(WORKER_LOST_AFTER_MS);
    if (events > 0) this.logger.warn({ events }, 'events of lost workers taken back');
  }
}
