import type { InvokeCall } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import {
  aCkafkaTrigger,
  aCosTrigger,
  aFunctionState,
  aTimerTrigger,
  eventually,
  sharedParts,
  uniqueName,
} from '@openscf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeHarness, type Answer } from './bridge.harness.fake.js';
import type { CkafkaEvent } from './kinds/kafka/kafka-event.policy.js';
import { reportOf } from './kinds/object-store/object-report.factory.js';
import { topics } from '@openscf/contracts';

const usage = { durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' };
const succeeded: Answer = () => ({
  outcome: { kind: 'succeeded', statusCode: 200, ...usage },
  body: Buffer.from('null'),
});
const failed: Answer = () => ({
  outcome: { kind: 'failed', statusCode: 430, message: 'no', ...usage },
  body: Buffer.from('{}'),
});

describe('the trigger-bridge on real parts', () => {
  let harness: BridgeHarness;
  let store: ObjectStore;
  let answer: Answer;
  let calls: { call: InvokeCall; event: CkafkaEvent }[];

  beforeAll(async () => {
    const { minio } = sharedParts();
    store = new ObjectStore(minio);
    harness = await BridgeHarness.start((call, event) => {
      calls.push({ call, event: JSON.parse(event) as CkafkaEvent });
      return answer(call, event);
    });
  });
  afterAll(() => harness.stop());

  beforeEach(async () => {
    answer = succeeded;
    calls = [];
    await harness.startBridge();
  });
  afterEach(() => harness.stopBridge());

  it('fires every tick of a timer once, over a restart', async () => {
    const timer = aTimerTrigger({ customArgument: 'hi' });
    const ticks = (): string[] => harness.eventsOf(timer).map((event) => event.origin['tick'] ?? '');
    await harness.setTrigger(timer);
    await eventually(() => ticks().length >= 2);
    await harness.stopBridge();
    await harness.startBridge();
    await eventually(() => ticks().length >= 5, { timeoutMs: 20_000 });
    await harness.removeTrigger(timer);
    const seen = [...ticks()].sort();
    const first = Date.parse(seen[0] ?? '');
    expect(seen).toEqual(seen.map((_, i) => `${new Date(first + i * 1_000).toISOString().slice(0, 19)}Z`));
  });

  it('fires once for an object that both of the targets report, and not for one that came before the trigger', async () => {
    const bucket = uniqueName('bucket');
    await store.ensureBucket(bucket);
    await store.put(bucket, 'before.txt', Buffer.from('x'));
    const trigger = aCosTrigger({ bucket, suffix: '.txt', createdAt: Date.now() + 1 });
    await harness.setTrigger(trigger);
    await eventually(async () => (await store.getNotifications(bucket)).length === 2);
    await store.put(bucket, 'a b.txt', Buffer.from('hello'));
    await eventually(() => harness.eventsOf(trigger).length > 0);
    // The late target sends every three seconds; its report is the last before this one of another key.
    await reported(bucket, 'a b.txt', 2);
    expect(harness.eventsOf(trigger).map((event) => event.origin['key'])).toEqual(['a b.txt']);

    await harness.removeTrigger(trigger);
    await eventually(async () => (await store.getNotifications(bucket)).length === 0);
  });

  it('finds an object that was put while the bridge was away, and fires once for it', async () => {
    await harness.stopBridge();
    const bucket = uniqueName('bucket');
    await store.ensureBucket(bucket);
    const trigger = aCosTrigger({ bucket });
    await harness.setTrigger(trigger);
    await store.put(bucket, 'early.txt', Buffer.from('x'));
    await harness.startBridge();
    await eventually(() => harness.eventsOf(trigger).length === 1);
    const object = await only(store.list(bucket));
    expect(object).toBeDefined();
    if (object)
      await harness.bus.publish(topics.durableObjectEvents, [{ key: 'k', value: reportOf(bucket, object) }]);
    await store.put(bucket, 'late.txt', Buffer.from('x'));
    await reported(bucket, 'late.txt', 2);
    expect(harness.eventsOf(trigger)).toHaveLength(2);
    await harness.removeTrigger(trigger);
  });

  it('shares the work between two replicas: every tick and every object once', async () => {
    await harness.startBridge();
    const timer = aTimerTrigger();
    const bucket = uniqueName('bucket');
    await store.ensureBucket(bucket);
    const objects = aCosTrigger({ bucket });
    await harness.setTrigger(timer);
    await harness.setTrigger(objects);
    await eventually(async () => (await store.getNotifications(bucket)).length === 2);
    const keys = Array.from({ length: 10 }, (_, i) => `object-${i}`);
    for (const key of keys) await store.put(bucket, key, Buffer.from('x'));
    await reported(bucket, 'object-9', 2);
    await eventually(() => harness.eventsOf(timer).length >= 4, { timeoutMs: 20_000 });
    await harness.removeTrigger(timer);
    await harness.removeTrigger(objects);
    await harness.stopBridge();
    expect(
      harness
        .eventsOf(objects)
        .map((event) => event.origin['key'])
        .sort(),
    ).toEqual(keys);
    const ticks = harness.eventsOf(timer).map((event) => event.origin['tick'] ?? '');
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it('hands records to the function, retries what it refuses, and goes on where it was', async () => {
    const trigger = aCkafkaTrigger({ maxMessages: 1 });
    await harness.setFunction(
      aFunctionState({ functionName: trigger.functionName, functionId: trigger.functionId }),
    );
    await harness.makeTopic(trigger.topic);
    await harness.bus.publishRaw(trigger.topic, [
      { key: null, value: Buffer.from('before the consumer had joined') },
    ]);
    await harness.setTrigger({ ...trigger, createdAt: Date.now() - 1_000 });
    await eventually(() => calls.length === 1, { timeoutMs: 20_000 });
    answer = failed;
    await harness.bus.publishRaw(trigger.topic, [{ key: 'k', value: Buffer.from('poison') }]);
    await eventually(
      () => calls.filter(({ event }) => JSON.stringify(event).includes('poison')).length >= 2,
      { timeoutMs: 20_000 },
    );
    const [first, second] = calls.slice(1);
    expect(second?.call.requestId).toBe(first?.call.requestId);
    expect([first?.call.retryNum, second?.call.retryNum]).toEqual([0, 1]);
    expect(first?.event.Records).toEqual([
      { Ckafka: { topic: trigger.topic, partition: 0, offset: 1, msgKey: 'k', msgBody: 'poison' } },
    ]);

    await harness.stopBridge();
    answer = succeeded;
    calls = [];
    await harness.bus.publishRaw(trigger.topic, [{ key: null, value: Buffer.from('after') }]);
    await harness.startBridge();
    await eventually(() => calls.length === 2, { timeoutMs: 20_000 });
    expect(calls.map(({ event }) => event.Records[0]?.Ckafka.offset)).toEqual([1, 2]);
    await harness.removeTrigger(trigger);
  });

  /** Resolves when the bucket's notifications have brought `times` reports of the key to Kafka. */
  async function reported(bucket: string, key: string, times: number): Promise<void> {
    let count = 0;
    const reader = harness.bus.consumeBatches({
      topic: [topics.objectEvents, topics.durableObjectEvents],
      groupId: uniqueName('report-reader'),
      maxBatch: 100,
      maxWaitMs: 1,
      handle: (messages) => {
        count += messages.filter(
          ({ value }) => decodeURIComponent(value.Key.replaceAll('+', ' ')) === `${bucket}/${key}`,
        ).length;
        return Promise.resolve();
      },
    });
    await eventually(() => count >= times, { timeoutMs: 20_000 });
    await reader.stop();
  }
});

async function only<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}
