import { hostname } from 'node:os';
import { topics, UNREADABLE_TOPIC, type AsyncEvent, type Topic } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { anAsyncEvent, eventually, sharedParts, uniqueName } from '@openscf/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bus, InvalidRecordError, type IncomingMessage } from './index.js';

const { brokers } = sharedParts();
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const open: Bus[] = [];

function newBus(clientId = 'test'): Bus {
  const bus = new Bus({ brokers, clientId, logger: silentLogger() });
  open.push(bus);
  return bus;
}

function eventTopic(partitions = 3): Topic<AsyncEvent> {
  return { ...topics.events, name: `test.${uniqueName('events')}`, partitions };
}

function events(count: number): { key: string; value: AsyncEvent }[] {
  return Array.from({ length: count }, () => anAsyncEvent()).map((value) => ({
    key: value.requestId,
    value,
  }));
}

async function committedTotal(groupId: string, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

async function endTotal(topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

beforeAll(async () => {
  const bus = newBus();
  await bus.ensureTopics([]);
  await bus.ensureTopics([]);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});

describe('publish and consume', () => {
  it('delivers every record with key, headers and value, and commits behind the work', async () => {
    const topic = eventTopic();
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const sent = events(200);
    await bus.publish(
      topic,
      sent.map((message) => ({ ...message, headers: { origin: 'spec' } })),
    );
    const groupId = uniqueName('group');
    const received: IncomingMessage<AsyncEvent>[] = [];
    bus.consume({
      topic,
      groupId,
      concurrency: 16,
      handle: (message) => {
        received.push(message);
        return Promise.resolve();
      },
    });
    await eventually(() => received.length === 200);
    expect(new Set(received.map(({ value }) => value.requestId))).toEqual(
      new Set(sent.map(({ key }) => key)),
    );
    expect(received[0]?.headers).toMatchObject({ origin: 'spec', 'schema-version': '1' });
    await eventually(async () => (await committedTotal(groupId, topic.name)) === 200);
  });

  it('refuses to write what does not fit the schema, and keeps apart what it cannot read', async () => {
    const topic = eventTopic(1);
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const [good] = events(1);
    const wrong = { ...good?.value, acceptedAt: 1.5 } as AsyncEvent;
    await expect(bus.publish(topic, [{ key: 'k', value: wrong }])).rejects.toThrow(InvalidRecordError);

    const groupId = uniqueName('group');
    const unreadable: { headers: Record<string, Buffer>; value: Buffer | null }[] = [];
    bus.stream({
      topicName: UNREADABLE_TOPIC,
      groupId: uniqueName('group'),
      startAt: 'earliest',
      maxMessages: 10,
      maxWaitMs: 0,
      handle: (batch) => {
        unreadable.push(...batch.filter(({ headers }) => headers['origin-group']?.toString() === groupId));
        return Promise.resolve();
      },
    });
    await bus.publishRaw(topic.name, [
      { key: 'a', value: Buffer.from('not json') },
      { key: 'b', value: Buffer.from(JSON.stringify(good?.value)), headers: { 'schema-version': '99' } },
    ]);
    await bus.publish(topic, good ? [good] : []);
    const received: string[] = [];
    bus.consume({
      topic,
      groupId,
      concurrency: 4,
      handle: (message) => {
        received.push(message.value.requestId);
        return Promise.resolve();
      },
    });
    await eventually(() => received.length === 1 && unreadable.length === 2);
    const reasons = unreadable.map(({ headers }) => headers['reason']?.toString() ?? '');
    expect(reasons.join('\n')).toContain('not JSON');
    expect(reasons.join('\n')).toContain('schema version is 99, this service reads 1');
    expect(unreadable.some(({ value }) => value?.toString() === 'not json')).toBe(true);
    await eventually(async () => (await committedTotal(groupId, topic.name)) === 3);
  });

  it('does not commit past a message that fails, and tries it again', async () => {
    const topic = eventTopic(1);
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const sent = events(20);
    await bus.publish(topic, sent);
    const groupId = uniqueName('group');
    const stuck = sent[5]?.key;
    let failing = true;
    const done = new Set<string>();
    let tries = 0;
    bus.consume({
      topic,
      groupId,
      concurrency: 4,
      order: 'none',
      handle: ({ value }) => {
        if (value.requestId === stuck) tries += 1;
        if (value.requestId === stuck && failing) return Promise.reject(new Error('not now'));
        done.add(value.requestId);
        return Promise.resolve();
      },
    });
    await eventually(() => done.size === 19 && tries > 2);
    await eventually(async () => (await committedTotal(groupId, topic.name)) === 5);
    failing = false;
    await eventually(() => done.size === 20);
    await eventually(async () => (await committedTotal(groupId, topic.name)) === 20);
  });

  it('keeps the order of a key and mixes keys', async () => {
    const topic = eventTopic(1);
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const sent = events(60).map((message, index) => ({ ...message, key: `key-${index % 3}` }));
    await bus.publish(topic, sent);
    const seen: string[] = [];
    let atOnce = 0;
    let most = 0;
    bus.consume({
      topic,
      groupId: uniqueName('group'),
      concurrency: 10,
      handle: async ({ value }) => {
        most = Math.max(most, (atOnce += 1));
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(value.requestId);
        atOnce -= 1;
      },
    });
    await eventually(() => seen.length === 60);
    expect(most).toBe(3);
    for (const key of ['key-0', 'key-1', 'key-2']) {
      const ofKey = sent.filter((message) => message.key === key).map(({ value }) => value.requestId);
      expect(seen.filter((id) => ofKey.includes(id))).toEqual(ofKey);
    }
  });
});

describe('rebalance', () => {
  it('loses nothing and repeats at most what was in flight: 1 → 3 → 1 members', async () => {
    const topic = eventTopic(6);
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const groupId = uniqueName('group');
    const counts = new Map<string, number>();
    const inFlight = 8;
    const join = (name: string): ReturnType<Bus['consume']> =>
      newBus(name).consume({
        topic,
        groupId,
        concurrency: inFlight,
        handle: async ({ value }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          counts.set(value.requestId, (counts.get(value.requestId) ?? 0) + 1);
        },
      });
    const first = join('first');
    let sending = true;
    let sent = 0;
    const producing = (async () => {
      while (sending) {
        const batch = events(20);
        await bus.publish(topic, batch);
        sent += batch.length;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await eventually(() => counts.size > 100);
    const others = [join('second'), join('third')];
    await eventually(() => others.every((other) => other.connected), { timeoutMs: 20_000 });
    const before = counts.size;
    await eventually(() => counts.size > before + 200);
    await Promise.all(others.map((other) => other.stop()));
    const after = counts.size;
    await eventually(() => counts.size > after + 200, { timeoutMs: 20_000 });
    sending = false;
    await producing;
    await eventually(() => counts.size === sent, { timeoutMs: 20_000 });
    const repeated = [...counts.values()].filter((count) => count > 1).length;
    // Members come and go four times; what one had taken and not settled may come again at another.
    expect(repeated).toBeLessThan(sent / 4);
    await first.stop();
    expect(await committedTotal(groupId, topic.name)).toBe(await endTotal(topic.name));
  });

  it('goes on where it stopped', async () => {
    const topic = eventTopic(2);
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const groupId = uniqueName('group');
    const seen: string[] = [];
    const consume = (): ReturnType<Bus['consume']> =>
      bus.consume({
        topic,
        groupId,
        concurrency: 4,
        handle: ({ value }) => {
          seen.push(value.requestId);
          return Promise.resolve();
        },
      });
    const first = consume();
    await bus.publish(topic, events(10));
    await eventually(() => seen.length === 10);
    await first.stop();
    await bus.publish(topic, events(10));
    const second = consume();
    await eventually(() => seen.length >= 20);
    await second.stop();
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('a member that was killed', () => {
  it('is not waited for by its successor', async () => {
    const topic = eventTopic(1);
    const bus = newBus('service');
    await bus.ensureTopics([topic]);
    await bus.publish(topic, events(1));
    const groupId = uniqueName('group');
    // What a process leaves behind that was killed: a member that the broker believes in and that says nothing.
    const sessionTimeout = 30_000;
    const silent = new Kafka({ brokers, clientId: `service.${hostname()}`, logLevel: logLevel.NOTHING });
    const dead = silent.consumer({ groupId, sessionTimeout, retry: { retries: 0 } });
    let wake: () => void = () => undefined;
    let taken = false;
    await dead.connect();
    await dead.subscribe({ topics: [topic.name], fromBeginning: true });
    await dead.run({
      autoCommit: false,
      eachMessage: () => {
        taken = true;
        return new Promise((resolve) => (wake = resolve));
      },
    });
    await eventually(() => taken);
    let received = false;
    bus.consume({
      topic,
      groupId,
      concurrency: 1,
      handle: () => {
        received = true;
        return Promise.resolve();
      },
    });
    await eventually(() => received, { timeoutMs: sessionTimeout / 2 });
    const stopped = dead.disconnect();
    wake();
    await stopped;
  });
});

describe('consumeBatches', () => {
  it('fills batches over partitions, retries a failed one as it was, and commits', async () => {
    const topic = eventTopic(3);
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const sent = events(95);
    await bus.publish(topic, sent);
    const groupId = uniqueName('group');
    const batches: string[][] = [];
    let failed: string[] | undefined;
    bus.consumeBatches({
      topic,
      groupId,
      maxBatch: 20,
      maxWaitMs: 50,
      handle: (messages) => {
        const ids = messages.map(({ value }) => value.requestId);
        if (!failed) {
          failed = ids;
          return Promise.reject(new Error('not now'));
        }
        batches.push(ids);
        return Promise.resolve();
      },
    });
    await eventually(() => batches.flat().length === 95);
    expect(batches[0]).toEqual(failed);
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(20);
    expect(new Set(batches.flat()).size).toBe(95);
    await eventually(async () => (await committedTotal(groupId, topic.name)) === 95);
  });
});
