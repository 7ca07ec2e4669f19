import { setTimeout as delay } from 'node:timers/promises';
import { topics, UnavailableError, type Topic } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import {
  aCommand,
  addressOf,
  aFunctionState,
  anAsyncEvent,
  eventually,
  startOwnParts,
  uniqueName,
} from '@openscf/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bus, type CompactedTable } from './index.js';

type Parts = Awaited<ReturnType<typeof startOwnParts>>;

/** Long enough for every client to give up at least once. */
const OUTAGE_MS = 8_000;

let parts: Parts;
let bus: Bus;
const accepted: string[] = [];
const handled = new Map<string, number>();
const streamed: string[] = [];

async function publishOne(): Promise<void> {
  const value = anAsyncEvent();
  await bus.publish(topics.events, [{ key: value.requestId, value }]);
  accepted.push(value.requestId);
}

/** Publishes until told to stop; what is refused is not in `accepted`. */
function publishing(): () => Promise<void> {
  let going = true;
  const work = (async () => {
    while (going) {
      await publishOne().catch((error: unknown) => expect(error).toBeInstanceOf(UnavailableError));
      await delay(20);
    }
  })();
  return async () => {
    going = false;
    await work;
  };
}

beforeAll(async () => {
  parts = await startOwnParts(['kafka']);
  bus = new Bus({ brokers: addressOf(parts).brokers, clientId: 'test', logger: silentLogger() });
  await bus.ensureTopics([]);
});
afterAll(async () => {
  await bus.close();
  await parts.stop();
});

describe('Kafka away and back', () => {
  let table: CompactedTable<ReturnType<typeof aFunctionState>>;
  const state = aFunctionState();

  beforeAll(async () => {
    table = bus.table(topics.functions);
    await table.ready;
    bus.consume({
      topic: topics.events,
      groupId: 'spec',
      concurrency: 8,
      handle: async ({ value }) => {
        await delay(5);
        handled.set(value.requestId, (handled.get(value.requestId) ?? 0) + 1);
      },
    });
    bus.stream({
      topicName: topics.events.name,
      groupId: 'spec-stream',
      startAt: 'earliest',
      maxMessages: 50,
      maxWaitMs: 10,
      handle: (batch) => {
        streamed.push(...batch.map(({ key }) => String(key)));
        return Promise.resolve();
      },
    });
    bus.serveCommands({
      service: 'log',
      concurrency: 4,
      handle: ({ command }) =>
        Promise.resolve({ ok: true, response: { of: command.requestId }, written: [] }),
    });
    await bus.requester('spec').ready;
  });

  async function everythingWorks(revision: number): Promise<void> {
    await eventually(() => publishOne().then(() => true), { timeoutMs: 30_000 });
    const value = { ...state, revision };
    await eventually(() => bus.publish(topics.functions, [{ key: 'k', value }]).then(() => true));
    expect(await table.waitFor({ key: 'k', revision }, 30_000)).toBe(true);
    const answer = await bus.requester('spec').request('log', 'Any', aCommand(), { timeoutMs: 30_000 });
    expect(answer.ok).toBe(true);
    await eventually(() => accepted.every((id) => handled.has(id) && streamed.includes(id)), {
      timeoutMs: 40_000,
    });
  }

  it('refuses within about 5 s while it is away, then everything goes on and nothing accepted is lost', async () => {
    await everythingWorks(1);
    const stop = publishing();
    await eventually(() => accepted.length > 50);
    await parts.stopOne('kafka');
    const startedAt = Date.now();
    await expect(publishOne()).rejects.toThrow(UnavailableError);
    expect(Date.now() - startedAt).toBeLessThan(6_500);
    expect(await bus.isReachable()).toBe(false);
    await expect(bus.requester('spec').request('log', 'Any', aCommand(), { timeoutMs: 500 })).rejects.toThrow(
      UnavailableError,
    );
    await expect(bus.ensureTopics([])).rejects.toThrow(UnavailableError);
    await delay(OUTAGE_MS);
    await parts.startAgain('kafka');
    await everythingWorks(2);
    await stop();
    await everythingWorks(3);
  }, 240_000);

  it('survives kill -9 under load', async () => {
    const stop = publishing();
    const before = accepted.length;
    await eventually(() => accepted.length > before + 50);
    parts.kill('kafka');
    await eventually(() => !parts.isHealthy('kafka'));
    await eventually(() => parts.isHealthy('kafka'), { timeoutMs: 60_000 });
    await everythingWorks(4);
    await stop();
    await everythingWorks(5);
    const repeated = [...handled.values()].filter((count) => count > 1).length;
    expect(repeated).toBeLessThan(accepted.length / 2);
  }, 240_000);
});

describe('a bus that is there before Kafka', () => {
  it('waits for it, makes the topics, and reads all of its tables as one member of one group', async () => {
    await parts.stopOne('kafka');
    const { brokers } = addressOf(parts);
    const early = new Bus({ brokers, clientId: 'early', logger: silentLogger() });
    const late = { ...topics.functions, name: `test.${uniqueName('late')}` };
    try {
      const tables = [topics.functions, topics.triggers, late].map((topic) =>
        early.table(topic as Topic<unknown>),
      );
      const opened = early.open([late], new AbortController().signal);
      const requester = early.requester('early');
      expect(tables.map(({ isReady }) => isReady)).toEqual([false, false, false]);
      await parts.startAgain('kafka');
      expect(await opened).toBe(true);
      await Promise.all([...tables.map(({ ready }) => ready), requester.ready]);
      expect(await groupsOf(brokers, 'early.')).toHaveLength(2); // the tables, and the replies
    } finally {
      await early.close();
    }
  }, 120_000);

  it('ends its wait when the service is asked to end', async () => {
    const early = new Bus({ brokers: ['127.0.0.1:1'], clientId: 'early', logger: silentLogger() });
    const ending = new AbortController();
    const opened = early.open([], ending.signal);
    const { ready } = early.table(topics.functions);
    void ready.then(() => expect.unreachable('no Kafka was there'));
    ending.abort();
    expect(await opened).toBe(false);
    await early.close();
  });
});

/** Names of the consumer groups that begin so. */
async function groupsOf(brokers: string[], prefix: string): Promise<string[]> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const { groups } = await admin.listGroups();
  await admin.disconnect();
  return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(prefix));
}

describe('unique names', () => {
  it('a requester without a server gives up in time', async () => {
    const requester = bus.requester(uniqueName('lonely'));
    await expect(
      requester.request('function-registry', 'Any', aCommand(), { timeoutMs: 2_000 }),
    ).rejects.toThrow('no answer from function-registry within 2000 ms');
  });
});
