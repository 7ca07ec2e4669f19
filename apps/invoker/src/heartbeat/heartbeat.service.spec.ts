import { topics, type InvokerState, type Topic } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeartbeatService } from './heartbeat.service.js';

describe('heartbeat', () => {
  const sent: (InvokerState | null)[] = [];
  const logger = { info: vi.fn(), warn: vi.fn() };
  let away: boolean;
  let usedMemoryMb: number;
  let heartbeat: HeartbeatService;

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000 });
    sent.length = 0;
    away = false;
    usedMemoryMb = 0;
    heartbeat = new HeartbeatService({
      bus: {
        publish<T>(topic: Topic<T>, messages: readonly { value: T | null }[]): Promise<void> {
          expect(topic.name).toBe(topics.invokers.name);
          if (away) return Promise.reject(new Error('away'));
          sent.push(...messages.map(({ value }) => value as InvokerState | null));
          return Promise.resolve();
        },
      },
      state: () => ({
        invokerId: 'i',
        epoch: 'e',
        address: 'h:1',
        accepting: true,
        memoryMb: 1024,
        usedMemoryMb,
        runtimes: [],
        missingRuntimes: {},
        provisioned: {},
      }),
      logger,
    });
  });

  afterEach(() => {
    vi.useRealTimers();
    logger.warn.mockReset();
    logger.info.mockReset();
  });

  it('speaks at once and then every two seconds', async () => {
    heartbeat.start();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(sent.map((state) => state?.sentAt)).toEqual([1_000, 3_000, 5_000, 7_000]);
  });

  it('tells of changes soon, several together', async () => {
    heartbeat.start();
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < 10; i++) heartbeat.change();
    usedMemoryMb = 128;
    await vi.advanceTimersByTimeAsync(100);
    expect(sent.map((state) => state?.usedMemoryMb)).toEqual([0, 128]);
  });

  it('goes on when Kafka was away, and says both once', async () => {
    away = true;
    heartbeat.start();
    await vi.advanceTimersByTimeAsync(5_000);
    away = false;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(sent).toHaveLength(2);
    expect([logger.warn.mock.calls.length, logger.info.mock.calls.length]).toEqual([1, 1]);
  });

  it('leaves a tombstone and is silent afterwards', async () => {
    heartbeat.start();
    await vi.advanceTimersByTimeAsync(0);
    await heartbeat.leave();
    heartbeat.change();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent.at(-1)).toBeNull();
    expect(sent).toHaveLength(2);
  });
});
