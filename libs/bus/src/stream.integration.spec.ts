import { silentLogger } from '@openscf/telemetry';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bus, type RawMessage, type Stream, type StreamOptions } from './index.js';

const { brokers } = sharedParts();
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const open: Bus[] = [];
let admin: Admin;

function newBus(): Bus {
  const bus = new Bus({ brokers, clientId: 'test', logger: silentLogger() });
  open.push(bus);
  return bus;
}

async function newTopic(numPartitions = 1): Promise<string> {
  const topic = uniqueName('user-topic');
  await makeTopic(topic, numPartitions);
  return topic;
}

async function makeTopic(topic: string, numPartitions = 1): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false });
  await eventually(async () => (await admin.fetchTopicOffsets(topic)).length === numPartitions);
}

interface Reading {
  stream: Stream;
  batches: RawMessage[][];
  texts(): string[];
}

function read(topicName: string, options: Partial<StreamOptions> = {}, bus = newBus()): Reading {
  const batches: RawMessage[][] = [];
  const stream = bus.stream({
    topicName,
    groupId: uniqueName('group'),
    startAt: 'earliest',
    maxMessages: 100,
    maxWaitMs: 0,
    handle: (batch) => {
      batches.push(batch);
      return Promise.resolve();
    },
    ...options,
  });
  return { stream, batches, texts: () => batches.flat().map(({ value }) => String(value)) };
}

function write(topic: string, texts: readonly string[], partition?: number): Promise<unknown> {
  const messages = texts.map((value) => ({ value, ...(partition !== undefined && { partition }) }));
  return producer.send({ topic, messages });
}

async function committed(groupId: string, topic: string): Promise<number[]> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return (found?.partitions ?? []).map(({ offset }) => Number(offset));
}

const producer = kafka.producer({
  createPartitioner:
    () =>
    ({ message }) =>
      message.partition ?? 0,
});

beforeAll(async () => {
  admin = kafka.admin();
  await Promise.all([admin.connect(), producer.connect()]);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});
afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

describe('where a stream begins', () => {
  it('latest: behind what was there, and a restart before the first record loses nothing', async () => {
    const topic = await newTopic();
    await write(topic, ['old']);
    const groupId = uniqueName('group');
    const first = read(topic, { groupId, startAt: 'latest' });
    await eventually(async () => (await committed(groupId, topic))[0] === 1);
    await first.stream.stop();
    await write(topic, ['while away']);
    const second = read(topic, { groupId, startAt: 'latest' });
    await eventually(() => second.texts().length > 0);
    expect([first.texts(), second.texts()]).toEqual([[], ['while away']]);
  });

  it('latest on an empty topic is kept as well', async () => {
    const topic = await newTopic(2);
    const groupId = uniqueName('group');
    const first = read(topic, { groupId, startAt: 'latest' });
    await eventually(async () => (await committed(groupId, topic)).every((offset) => offset === 0));
    await first.stream.stop();
    await write(topic, ['while away'], 1);
    const second = read(topic, { groupId, startAt: 'latest' });
    await eventually(() => second.texts().length > 0);
    expect(second.texts()).toEqual(['while away']);
  });

  it('at a time: the first record that is not older', async () => {
    const topic = await newTopic();
    await producer.send({
      topic,
      messages: [10, 20, 30].map((at) => ({ value: `at ${at}`, timestamp: String(at) })),
    });
    const reading = read(topic, { startAt: 15 });
    await eventually(() => reading.texts().length === 2);
    expect(reading.texts()).toEqual(['at 20', 'at 30']);
  });

  it('waits for a topic that does not exist, and reads it from its beginning', async () => {
    const topic = uniqueName('later');
    const reading = read(topic, { startAt: 'latest' });
    await eventually(async () => !(await admin.listTopics()).includes(topic));
    await makeTopic(topic);
    await write(topic, ['first']);
    await eventually(() => reading.texts().length === 1);
    expect(await admin.listTopics()).toContain(topic);
  });

  it('finds a new partition and reads it from its beginning', async () => {
    const topic = await newTopic();
    const reading = read(topic, { startAt: 'latest' });
    await eventually(() => reading.stream.connected);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
    await eventually(async () => (await admin.fetchTopicOffsets(topic)).length === 2);
    const fresh = kafka.producer({ createPartitioner: () => () => 1 });
    await fresh.connect();
    await fresh.send({ topic, messages: [{ value: 'in the new one' }] });
    await fresh.disconnect();
    await eventually(() => reading.texts().includes('in the new one'), { timeoutMs: 45_000 });
  });

  it('goes on at the first record that is left when its place has expired', async () => {
    const topic = await newTopic();
    const groupId = uniqueName('group');
    const first = read(topic, { groupId });
    await write(topic, ['one', 'two', 'three']);
    await eventually(async () => (await committed(groupId, topic))[0] === 3);
    await first.stream.stop();
    await write(topic, ['expired', 'left']);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
    const second = read(topic, { groupId });
    await eventually(() => second.texts().length > 0, { timeoutMs: 20_000 });
    expect(second.texts()).toEqual(['left']);
  });

  it('reads a topic anew that was deleted and made again', async () => {
    const topic = await newTopic();
    const reading = read(topic);
    await write(topic, ['a', 'b', 'c']);
    await eventually(() => reading.texts().length === 3);
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => !(await admin.listTopics()).includes(topic));
    await makeTopic(topic);
    await eventually(() => write(topic, ['again']).then(() => true));
    await eventually(() => reading.texts().includes('again'), { timeoutMs: 45_000 });
  });
});

describe('batches', () => {
  it('keeps the order within a partition, and one slow partition does not hold up the others', async () => {
    const topic = await newTopic(2);
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen: Record<number, string[]> = { 0: [], 1: [] };
    let running = 0;
    read(topic, {
      maxMessages: 10,
      handle: async (batch) => {
        const partition = batch[0]?.partition ?? 0;
        if (partition === 0) {
          expect((running += 1)).toBe(1);
          await blocked;
          running -= 1;
        }
        seen[partition]?.push(...batch.map(({ value }) => String(value)));
      },
    });
    const texts = Array.from({ length: 35 }, (_, index) => String(index));
    await write(topic, texts, 0);
    await write(topic, texts, 1);
    await eventually(() => seen[1]?.length === 35);
    expect(seen[0]).toEqual([]);
    release();
    await eventually(() => seen[0]?.length === 35);
    expect(seen).toEqual({ 0: texts, 1: texts });
  });

  it('waits for company, but not longer than it should', async () => {
    const topic = await newTopic();
    const reading = read(topic, { maxMessages: 3, maxWaitMs: 400 });
    await eventually(() => reading.stream.connected);
    for (const text of ['1', '2', '3', '4']) await write(topic, [text]);
    await eventually(() => reading.texts().length === 4);
    expect(reading.batches.map((batch) => batch.length)).toEqual([3, 1]);
  });

  it('commits a batch only after it was handled, and tries a failed one again as it was', async () => {
    const topic = await newTopic();
    const groupId = uniqueName('group');
    const tries: string[][] = [];
    let failing = true;
    read(topic, {
      groupId,
      maxMessages: 2,
      handle: (batch) => {
        tries.push(batch.map(({ value }) => String(value)));
        return failing && batch[0]?.offset === '2' ? Promise.reject(new Error('not now')) : Promise.resolve();
      },
    });
    await write(topic, ['a', 'b', 'c', 'd', 'e']);
    await eventually(() => tries.length >= 3);
    await eventually(async () => (await committed(groupId, topic))[0] === 2);
    failing = false;
    await eventually(async () => (await committed(groupId, topic))[0] === 5);
    expect(tries[0]).toEqual(['a', 'b']);
    expect(tries.slice(1, -1).every((batch) => batch.join() === 'c,d')).toBe(true);
    expect(tries.at(-1)).toEqual(['e']);
  });

  it('hands nothing over while it is paused, and holds little in memory', async () => {
    const topic = await newTopic();
    const reading = read(topic, { maxMessages: 10, bufferBytes: 200_000 });
    await eventually(() => reading.stream.connected);
    reading.stream.pause();
    const payload = 'x'.repeat(10_000);
    for (let round = 0; round < 30; round += 1)
      await write(
        topic,
        Array.from({ length: 10 }, () => payload),
      );
    const before = reading.texts().length;
    reading.stream.resume();
    await eventually(() => reading.texts().length === 300, { timeoutMs: 20_000 });
    expect(before).toBe(0);
    expect(reading.batches.every((batch) => batch.length <= 10)).toBe(true);
  });
});
