import { topics, type InvocationRecord, type LogLines, type Topic } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordShipper, type RecordBus } from './record.shipper.js';

class ScriptedBus implements RecordBus {
  away = false;
  readonly batches: { topic: string; keys: (string | null)[] }[] = [];
  publish<T>(topic: Topic<T>, messages: readonly { key: string | null; value: T | null }[]): Promise<void> {
    if (this.away) return Promise.reject(new Error('away'));
    this.batches.push({ topic: topic.name, keys: messages.map(({ key }) => key) });
    return Promise.resolve();
  }
  keysOf(topic: { name: string }): (string | null)[] {
    return this.batches.filter((batch) => batch.topic === topic.name).flatMap(({ keys }) => keys);
  }
}

const record = (requestId: string): InvocationRecord =>
  ({ requestId, retryNum: 0, result: '1' }) as InvocationRecord;
function lines(requestId: string, texts: readonly string[] = ['a']): LogLines {
  return {
    requestId,
    retryNum: 0,
    namespace: 'default',
    functionName: 'f',
    version: '$LATEST',
    lines: texts.map((text, seq) => ({ seq, at: 0, level: 'INFO', type: 'Custom', text })),
  };
}

describe('record shipper', () => {
  const warn = vi.fn();
  let bus: ScriptedBus;
  let shipper: RecordShipper;

  beforeEach(() => {
    vi.useFakeTimers();
    bus = new ScriptedBus();
    shipper = new RecordShipper(bus, { info: () => undefined, warn }, 20_000);
  });

  afterEach(() => {
    vi.useRealTimers();
    warn.mockReset();
  });

  it('sends what came within 50 ms as one batch to each topic', async () => {
    for (let i = 0; i < 10; i++) shipper.ship(record(`r${i}`), lines(`r${i}`));
    expect(bus.batches).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(50);
    expect(bus.batches.map(({ topic, keys }) => [topic, keys.length])).toEqual([
      [topics.logLines.name, 10],
      [topics.invocations.name, 10],
    ]);
  });

  it('splits a long log into records that Kafka takes', async () => {
    shipper = new RecordShipper(bus, { info: () => undefined, warn });
    shipper.ship(
      record('r'),
      lines(
        'r',
        Array.from({ length: 10 }, () => 'x'.repeat(60_000)),
      ),
    );
    await vi.advanceTimersByTimeAsync(50);
    expect(bus.keysOf(topics.logLines)).toEqual(['r', 'r', 'r', 'r', 'r']);
    expect(bus.keysOf(topics.invocations)).toEqual(['r']);
  });

  it('keeps records while Kafka is away, in order, and drops none that fit', async () => {
    bus.away = true;
    shipper.ship(record('r0'), lines('r0'));
    await vi.advanceTimersByTimeAsync(1_000);
    shipper.ship(record('r1'), lines('r1'));
    bus.away = false;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(bus.keysOf(topics.invocations)).toEqual(['r0', 'r1']);
    expect(shipper.backlog).toBe(0);
  });

  it('says what it dropped when the spool is full, and never waits', async () => {
    bus.away = true;
    for (let i = 0; i < 100; i++) shipper.ship(record(`r${i}`), lines(`r${i}`));
    expect(shipper.backlog).toBeLessThan(40);
    expect(warn).toHaveBeenCalledWith({ spoolBytes: 20_000 }, 'records are dropped: the spool is full');
    await vi.advanceTimersByTimeAsync(1_000);
    bus.away = false;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(warn).toHaveBeenCalledWith(
      { dropped: expect.any(Number) as number },
      'records were dropped while Kafka was away',
    );
  });

  it('sends what is left when it stops', async () => {
    shipper.ship(record('r'), lines('r'));
    await shipper.stop(Date.now() + 1_000);
    expect(bus.keysOf(topics.invocations)).toEqual(['r']);
  });

  it('gives up at the deadline when Kafka does not come back', async () => {
    bus.away = true;
    shipper.ship(record('r'), lines('r'));
    const stopped = shipper.stop(Date.now() + 500);
    await vi.advanceTimersByTimeAsync(600);
    await stopped;
    expect(warn).toHaveBeenCalledWith({ lost: 1 }, 'records could not be stored before the end');
  });
});
