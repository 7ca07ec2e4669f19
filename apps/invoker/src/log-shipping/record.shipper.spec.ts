import { topics, type InvocationRecord, type LogLines, type Topic } from '@openscf/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordShipper, type RecordBus } from './record.shipper.js';

class ScriptedBus implements RecordBus {
  away = false;
  /** Request ids, message by message. */
  readonly batches: { topic: string; messages: string[][] }[] = [];
  publish<T>(topic: Topic<T>, messages: readonly { key: string | null; value: T | null }[]): Promise<void> {
    if (this.away) return Promise.reject(new Error('away'));
    const values = messages.map(({ value }) =>
      (value as { requestId: string }[]).map((each) => each.requestId),
    );
    this.batches.push({ topic: topic.name, messages: values });
    return Promise.resolve();
  }
  idsOf(topic: { name: string }): string[] {
    return this.batches
      .filter((batch) => batch.topic === topic.name)
      .flatMap(({ messages }) => messages.flat());
  }
}

const record = (requestId: string, result = '1'): InvocationRecord =>
  ({ requestId, retryNum: 0, result }) as InvocationRecord;
function lines(requestId: string, texts: readonly string[] = ['a']): LogLines {
  return {
    requestId,
    retryNum: 0,
    namespace: 'default',
    functionName: 'f',
    version: '$LATEST',
    firstSeq: 0,
    lines: texts.map((text) => ({ at: 0, text })),
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

  it('sends what comes together as one message to each topic, the lines first', async () => {
    for (let i = 0; i < 10; i++) shipper.ship(record(`r${i}`), i < 3 ? lines(`r${i}`) : undefined);
    expect(bus.batches).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(50);
    expect(bus.batches.map(({ topic, messages }) => [topic, messages.map((ids) => ids.length)])).toEqual([
      [topics.logLines.name, [3]],
      [topics.invocations.name, [10]],
    ]);
  });

  it('sends no oftener than ten times a second, and a lone record at once', async () => {
    for (let i = 0; i < 100; i++) {
      shipper.ship(record(`r${i}`), undefined);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(bus.batches.length).toBeGreaterThanOrEqual(10);
    expect(bus.batches.length).toBeLessThanOrEqual(11);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shipper.backlog).toBe(0);
    shipper.ship(record('lone'), undefined);
    await vi.advanceTimersByTimeAsync(10);
    expect(bus.idsOf(topics.invocations).at(-1)).toBe('lone');
  });

  it('tells when what was shipped is stored, and hurries for whoever waits', async () => {
    shipper.ship(record('first'), undefined);
    await vi.advanceTimersByTimeAsync(10);
    shipper.ship(record('second'), undefined);
    const stored = vi.fn();
    void shipper.stored(2_000).then(stored);
    await vi.advanceTimersByTimeAsync(5);
    expect(stored).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10);
    expect(stored).toHaveBeenCalledOnce();
    expect(bus.idsOf(topics.invocations)).toEqual(['first', 'second']);
    await shipper.stored(2_000);
  });

  it('does not make anyone wait longer than asked while Kafka is away', async () => {
    bus.away = true;
    shipper.ship(record('r'), undefined);
    const stored = vi.fn();
    void shipper.stored(2_000).then(stored);
    await vi.advanceTimersByTimeAsync(1_990);
    expect(stored).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(20);
    expect(stored).toHaveBeenCalledOnce();
    expect(shipper.backlog).toBe(1);
  });

  it('splits a long log, and many long results, into messages that Kafka takes', async () => {
    shipper = new RecordShipper(bus, { info: () => undefined, warn });
    const texts = Array.from({ length: 10 }, () => 'x'.repeat(60_000));
    shipper.ship(record('r'), lines('r', texts));
    for (let i = 0; i < 40; i++) shipper.ship(record(`s${i}`, 'x'.repeat(8_000)), undefined);
    await vi.advanceTimersByTimeAsync(200);
    expect(bus.idsOf(topics.logLines)).toEqual(['r', 'r', 'r', 'r', 'r']);
    expect(bus.idsOf(topics.invocations)).toHaveLength(41);
    const messages = bus.batches.flatMap((batch) => batch.messages);
    expect(Math.max(...messages.map((ids) => ids.length))).toBeLessThan(20);
  });

  it('keeps records while Kafka is away, in order, and drops none that fit', async () => {
    bus.away = true;
    shipper.ship(record('r0'), lines('r0'));
    await vi.advanceTimersByTimeAsync(1_000);
    shipper.ship(record('r1'), lines('r1'));
    bus.away = false;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(bus.idsOf(topics.invocations)).toEqual(['r0', 'r1']);
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
    const stopped = shipper.stop(Date.now() + 1_000);
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
    expect(bus.idsOf(topics.invocations)).toEqual(['r']);
  });

  it('gives up at the deadline when Kafka does not come back', async () => {
    bus.away = true;
    shipper.ship(record('r'), lines('r'));
    const stopped = shipper.stop(Date.now() + 500);
    await vi.advanceTimersByTimeAsync(600);
    await stopped;
    expect(warn).toHaveBeenCalledWith({ lost: 2 }, 'records could not be stored before the end');
  });
});
