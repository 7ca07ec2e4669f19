import { Bus } from '@openscf/bus';
import { functionKey, topics, type AsyncEvent, type InvokeOutcome } from '@openscf/contracts';
import { Database } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { aFunctionState, anAsyncEvent, eventually, sharedParts, uniqueName } from '@openscf/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AsyncQueue } from './async-queue.service.js';
import { migrations } from './parked-event.migrations.js';
import { ParkedEventRepository } from './parked-event.repository.js';
import type { SchedulerTables } from './parked-event.schema.js';
import { WorkerRepository } from './worker.repository.js';

const succeeded: InvokeOutcome = {
  kind: 'succeeded',
  statusCode: 200,
  durationMs: 1,
  billedMs: 1,
  memoryBytes: 1,
  log: '',
};

describe('events on Kafka and PostgreSQL', () => {
  const fn = aFunctionState();
  const runs = new Map<string, number>();
  const closing: (() => Promise<void>)[] = [];

  function newBus(): Bus {
    const bus = new Bus({ brokers: sharedParts().brokers, clientId: 'test', logger: silentLogger() });
    closing.push(() => bus.close());
    return bus;
  }

  /** A scheduler's queue; its functions take a few ms. */
  async function newQueue(place: string): Promise<AsyncQueue> {
    const bus = newBus();
    const database = new Database<SchedulerTables>({
      url: sharedParts().postgresUrl,
      schema: 'scheduler_events',
      migrations,
      logger: silentLogger(),
    });
    closing.push(() => database.close());
    const functions = bus.table(topics.functions);
    const queue = new AsyncQueue({
      bus,
      functions,
      ready: functions.ready,
      dispatcher: {
        invoke: async ({ requestId }) => {
          await delay(5);
          runs.set(requestId, (runs.get(requestId) ?? 0) + 1);
          return { outcome: succeeded, body: Buffer.alloc(0) };
        },
      },
      rows: new ParkedEventRepository(database, place),
      workers: new WorkerRepository(database, place, place),
      total: 20,
      perFunction: 8,
      logger: silentLogger(),
    });
    closing.push(() => queue.drain(Date.now()));
    await queue.start();
    return queue;
  }

  async function accept(bus: Bus, count: number): Promise<AsyncEvent[]> {
    const { functionName } = fn;
    const events = Array.from({ length: count }, () =>
      anAsyncEvent({ functionName, acceptedAt: Date.now() }),
    );
    await bus.publish(
      topics.events,
      events.map((value) => ({ key: value.requestId, value })),
    );
    return events;
  }

  beforeAll(async () => {
    const bus = newBus();
    await bus.ensureTopics(Object.values(topics));
    await bus.publish(topics.functions, [{ key: functionKey(fn), value: fn }]);
  });

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('are all run while schedulers come and go, most of them once', async () => {
    const bus = newBus();
    const first = await newQueue(uniqueName('first'));
    await eventually(() => first.connected, { timeoutMs: 60_000 });
    const events = await accept(bus, 300);
    await eventually(() => runs.size > 20, { timeoutMs: 60_000 });

    const second = await newQueue(uniqueName('second'));
    events.push(...(await accept(bus, 100)));
    await first.drain(Date.now() + 5_000);
    events.push(...(await accept(bus, 100)));

    await eventually(() => events.every(({ requestId }) => runs.has(requestId)), { timeoutMs: 60_000 });
    await eventually(async () => (await second.report()).waiting === 0, { timeoutMs: 60_000 });
    const twice = events.filter(({ requestId }) => (runs.get(requestId) ?? 0) > 1);
    expect(twice.length).toBeLessThanOrEqual(20);
  });
});
