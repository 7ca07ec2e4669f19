import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calmRequestQueue } from './request-queue.patch.js';

type Queue = { pending: unknown[]; throttledUntil: number; checkPendingRequests(): void };

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
  prototype: { scheduleCheckPendingRequests(this: Queue): void };
};

function schedule(pending: unknown[]): number {
  prototype.scheduleCheckPendingRequests.call({
    pending,
    throttledUntil: -1,
    checkPendingRequests: () => undefined,
  });
  return vi.getTimerCount();
}

describe('calmRequestQueue', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('sets a timer only for requests that wait', () => {
    calmRequestQueue();
    expect(schedule([])).toBe(0);
    expect(schedule(['request'])).toBe(1);
  });
});
