import {
  functionKey,
  topics,
  type AsyncEvent,
  type DeadEvent,
  type FunctionState,
  type InvokeCall,
  type InvokeOutcome,
} from '@openscf/contracts';
import type { ConsumeOptions, OutgoingMessage } from '@openscf/bus';
import { Database, sql } from '@openscf/persistence';
import { silentLogger } from '@openscf/telemetry';
import { aFunctionState, anAsyncEvent, sharedParts } from '@openscf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AsyncQueue, type AsyncQueueOptions } from './async-queue.service.js';
import { migrations } from './parked-event.migrations.js';
import { ParkedEventRepository } from './parked-event.repository.js';
import type { SchedulerTables } from './parked-event.schema.js';
import { WorkerRepository } from './worker.repository.js';

const AWAY_URL = 'postgres://openscf@127.0.0.1:1/openscf';

const usage = { durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' };
const succeeded: InvokeOutcome = { kind: 'succeeded', statusCode: 200, ...usage };
const failed: InvokeOutcome = { kind: 'failed', statusCode: 430, message: 'thrown', ...usage };
const throttled: InvokeOutcome = { kind: 'throttled', statusCode: 432, message: 'full' };

function fn(functionName: string, fields: Partial<FunctionState> = {}): FunctionState {
  return aFunctionState({ functionName, ...fields });
}

/** The queue on a real PostgreSQL, with a Kafka of one hand-fed partition and functions that answer as told. */
class Harness {
  readonly functions = new Map<string, FunctionState>();
  readonly calls: InvokeCall[] = [];
  readonly dead: DeadEvent[] = [];
  kafkaAway = false;
  answer: (call: InvokeCall) => Promise<InvokeOutcome> | InvokeOutcome = () => succeeded;
  private handle: ConsumeOptions<AsyncEvent>['handle'] = () => Promise.reject(new Error('not started'));
  readonly queue: AsyncQueue;
  private offset = 0;

  constructor(
    database: Database<SchedulerTables>,
    workerId: string,
    options: Partial<AsyncQueueOptions> = {},
  ) {
    const bus = {
      consume: <T>(consume: ConsumeOptions<T>) => {
        this.handle = consume.handle as typeof this.handle;
        return { connected: true, stop: () => Promise.resolve() };
      },
      publish: <T>(topic: { name: string }, messages: readonly OutgoingMessage<T>[]) => {
        if (this.kafkaAway) return Promise.reject(new Error('Kafka is away'));
        if (topic.name === topics.deadEvents.name)
          this.dead.push(...messages.map((each) => each.value as DeadEvent));
        return Promise.resolve();
      },
    };
    this.queue = new AsyncQueue({
      bus,
      functions: { get: (key) => this.functions.get(key) },
      ready: Promise.resolve(),
      dispatcher: {
        invoke: async (call) => {
          this.calls.push(call);
          return { outcome: await this.answer(call), body: Buffer.alloc(0) };
        },
      },
      rows: new ParkedEventRepository(database, workerId),
      workers: new WorkerRepository(database, workerId, workerId),
      total: 100,
      perFunction: 4,
      logger: silentLogger(),
      ...options,
    });
    this.deploy(fn('hello'));
  }

  deploy(state: FunctionState): void {
    this.functions.set(functionKey(state), state);
  }

  /** What the bus does with a record. Resolved means that its offset may be committed. */
  deliver(requestId: string, fields: Partial<AsyncEvent> = {}, timestampMs = Date.now()): Promise<void> {
    const value = anAsyncEvent({ requestId, functionName: 'hello', acceptedAt: timestampMs, ...fields });
    const message = {
      topic: topics.events.name,
      partition: 0,
      offset: String(this.offset++),
      headers: {},
      timestampMs,
    };
    return this.handle({ ...message, key: requestId, value });
  }
}

/** Waits until the expectations hold. */
function soon(expectations: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(expectations, { timeout: 20_000 });
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const marker = Symbol('pending');
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(marker)])) === marker;
}

describe('the async queue', () => {
  let database: Database<SchedulerTables>;
  const harnesses: Harness[] = [];
  const rows = async () =>
    (await database.kysely.selectFrom('parked_events').selectAll().orderBy('request_id').execute()).map(
      (row) => ({
        ...row,
        dueInMs: row.due_at.getTime() - Date.now(),
      }),
    );

  async function started(options: Partial<AsyncQueueOptions> = {}): Promise<Harness> {
    const harness = new Harness(database, `worker-${harnesses.length}`, options);
    harnesses.push(harness);
    await harness.queue.start();
    if (options.rows === undefined) {
      await soon(async () => expect((await harness.queue.report()).waiting).not.toBeNull());
    }
    return harness;
  }

  beforeAll(async () => {
    database = new Database<SchedulerTables>({
      url: sharedParts().postgresUrl,
      schema: 'scheduler_queue',
      migrations,
      logger: silentLogger(),
    });
    await database.prepare();
  });

  afterAll(() => database.close());

  beforeEach(async () => {
    await sql`truncate parked_events, workers`.execute(database.kysely);
  });

  afterEach(async () => {
    await Promise.all(harnesses.splice(0).map((harness) => harness.queue.drain(Date.now())));
  });

  it('runs an event once and forgets it', async () => {
    const harness = await started();
    await harness.deliver('r1', { event: '{"a":1}' });
    expect(harness.calls).toMatchObject([
      {
        requestId: 'r1',
        functionKey: 'default/hello/$LATEST',
        invocationType: 'Event',
        retryNum: 0,
        revision: 1,
      },
    ]);
    expect(await rows()).toEqual([]);
    expect(await harness.queue.report()).toMatchObject({
      accepted: 1,
      done: 1,
      dead: 0,
      running: 0,
      waiting: 0,
    });
  });

  it('keeps a failed event for a minute, with the number of its next attempt', async () => {
    const harness = await started();
    harness.answer = () => failed;
    await harness.deliver('r1');
    const [row] = await rows();
    expect(JSON.parse(row?.progress ?? '')).toMatchObject({ retryNum: 1, failures: 1 });
    expect(row?.dueInMs).toBeGreaterThan(55_000);
    expect(harness.dead).toEqual([]);
  });

  it('runs a parked event again when it is due, until it is done', async () => {
    const harness = await started();
    harness.answer = () => (harness.calls.length < 3 ? throttled : succeeded);
    await harness.deliver('r1');
    await soon(async () => expect(await rows()).toEqual([]));
    expect(harness.calls.map((call) => [call.requestId, call.retryNum])).toEqual([
      ['r1', 0],
      ['r1', 0],
      ['r1', 0],
    ]);
    expect(await harness.queue.report()).toMatchObject({ accepted: 1, done: 1, retried: 2 });
  });

  it('dead-letters before it lets go, and waits for Kafka to do so', async () => {
    const harness = await started();
    harness.deploy(fn('hello', { asyncRetryNum: 0 }));
    harness.answer = () => failed;
    harness.kafkaAway = true;
    const handled = harness.deliver('r1');
    await soon(() => expect(harness.calls).toHaveLength(1));
    expect(await isPending(handled)).toBe(true);
    harness.kafkaAway = false;
    await handled;
    expect(harness.calls).toHaveLength(1);
    expect(harness.dead).toMatchObject([
      {
        event: { requestId: 'r1' },
        reason: 'retries-exhausted',
        attempts: [{ statusCode: 430, message: 'thrown' }],
      },
    ]);
  });

  it('dead-letters the event of a function that is gone', async () => {
    const harness = await started();
    await harness.deliver('r1', { functionName: 'gone', acceptedAt: Date.now() - 60_000 });
    expect(harness.dead).toMatchObject([{ reason: 'function-not-found' }]);
    expect(harness.calls).toEqual([]);
  });

  it('waits a moment for a function that was just made', async () => {
    const harness = await started();
    const handled = harness.deliver('r1', { functionName: 'new' });
    expect(await isPending(handled)).toBe(true);
    harness.deploy(fn('new'));
    await handled;
    expect(harness.calls).toHaveLength(1);
  });

  it('lets a partition go on while a long attempt runs, and forgets the event at its end', async () => {
    const harness = await started();
    let finish: (outcome: InvokeOutcome) => void = () => undefined;
    harness.answer = () => new Promise((resolve) => (finish = resolve));
    await harness.deliver('r1');
    expect(await rows()).toMatchObject([{ request_id: 'r1', leased_by: 'worker-0' }]);
    expect(await harness.queue.report()).toMatchObject({ running: 1, done: 0 });
    finish(succeeded);
    await soon(async () => expect(await rows()).toEqual([]));
    expect(harness.calls).toHaveLength(1);
    expect(await harness.queue.report()).toMatchObject({ running: 0, done: 1 });
  });

  it('parks what a function has no slot for, so that another one runs', async () => {
    const harness = await started();
    harness.deploy(fn('calm'));
    const finishers: (() => void)[] = [];
    harness.answer = (call) =>
      call.functionKey.includes('calm')
        ? succeeded
        : new Promise((resolve) => finishers.push(() => resolve(succeeded)));
    const running = Array.from({ length: 4 }, (_, index) => harness.deliver(`busy-${index}`));
    await soon(() => expect(finishers).toHaveLength(4));
    await Promise.all([harness.deliver('busy-4'), harness.deliver('busy-5')]);
    await harness.deliver('calm-1', { functionName: 'calm' });
    expect((await rows()).map((row) => row.request_id)).toEqual(['busy-4', 'busy-5']);
    finishers.splice(0).forEach((finish) => finish());
    await Promise.all(running);
    await soon(() => expect(finishers).toHaveLength(2));
    finishers.forEach((finish) => finish());
    await soon(async () => expect((await harness.queue.report()).done).toBe(7));
    expect(await rows()).toEqual([]);
  });

  it('leaves a record that is read again to the row that has its event', async () => {
    const harness = await started();
    harness.answer = () => failed;
    await harness.deliver('r1');
    await harness.deliver('r1', {}, Date.now() - 5_000);
    expect(harness.calls).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  it('runs an event once whose record comes twice', async () => {
    const harness = await started();
    await Promise.all([harness.deliver('r1'), harness.deliver('r1')]);
    await harness.deliver('r1', {}, Date.now() - 60_000);
    expect(harness.calls).toHaveLength(1);
  });

  it('goes on without PostgreSQL, but for what must be parked', async () => {
    const away = new Database<SchedulerTables>({
      url: AWAY_URL,
      schema: 'scheduler',
      migrations,
      logger: silentLogger(),
    });
    const harness = await started({
      rows: new ParkedEventRepository(away, 'away'),
      workers: new WorkerRepository(away, 'away', 'away'),
    });
    await harness.deliver('r1');
    harness.answer = () => failed;
    const handled = harness.deliver('r2');
    await soon(() => expect(harness.calls).toHaveLength(2));
    expect(await isPending(handled)).toBe(true);
    expect(await harness.queue.report()).toMatchObject({ done: 1, waiting: null });
    await harness.queue.drain(Date.now());
    await expect(handled).rejects.toThrow();
    await away.close();
  });

  it('gives back what still runs when it ends, for another scheduler to run', async () => {
    const first = await started();
    first.answer = () => new Promise(() => undefined);
    await first.deliver('r1');
    await first.queue.drain(Date.now());
    const second = await started();
    await soon(() => expect(second.calls).toHaveLength(1));
    await soon(async () => expect(await rows()).toEqual([]));
  });
});
