import { silentLogger } from '@openscf/telemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WORKER_LOST_AFTER_MS, WorkerLife } from './worker-life.service.js';
import type { WorkerRepository } from './worker.repository.js';

const BEAT_MS = 3_000;

class WorkersFake implements Pick<WorkerRepository, 'beat' | 'reclaim'> {
  beats = 0;
  reclaims = 0;
  away = false;

  beat(): Promise<void> {
    if (this.away) return Promise.reject(new Error('PostgreSQL is away'));
    this.beats += 1;
    return Promise.resolve();
  }

  reclaim(): Promise<number> {
    this.reclaims += 1;
    return Promise.resolve(1);
  }
}

describe('WorkerLife', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('judges others only after it was itself seen long enough, and again so after an outage', async () => {
    const workers = new WorkersFake();
    const life = new WorkerLife(workers, silentLogger());
    life.start();
    await vi.advanceTimersByTimeAsync(WORKER_LOST_AFTER_MS - BEAT_MS);
    expect(workers.reclaims).toBe(0);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    expect(workers.reclaims).toBe(1);

    workers.away = true;
    await vi.advanceTimersByTimeAsync(60_000);
    workers.away = false;
    await vi.advanceTimersByTimeAsync(WORKER_LOST_AFTER_MS);
    expect(workers.reclaims).toBe(1);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    expect(workers.reclaims).toBe(2);
    life.stop();
  });

  it('is silent after it has stopped', async () => {
    const workers = new WorkersFake();
    const life = new WorkerLife(workers, silentLogger());
    life.start();
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    life.stop();
    const { beats } = workers;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(workers.beats).toBe(beats);
  });
});
