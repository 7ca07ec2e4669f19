/** Runs last (see vitest.config.ts): what the other specs find must not depend on it. */
import { Partitioners, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProcessName } from './control.server.js';
import { makeFunction, uniqueName, type FunctionUnderTest } from './function.fixture.js';
import { logOf, logsOf } from './function.logs.js';
import { cloud, kafka, kill, objects, statusOf } from './platform.js';
import { until } from './until.js';

const VICTIMS: ProcessName[] = [
  'gateway',
  'function-registry',
  'scheduler',
  'invoker',
  'trigger-bridge',
  'log',
  'kafka',
  'postgres',
  'minio',
];

const RECOVERY_MS = 90_000;
const ACCEPTED = 5;

describe('kill -9 and its restart by the supervisor', () => {
  let fn: FunctionUnderTest;
  let ticking: FunctionUnderTest;
  let producer: Producer;
  const topic = uniqueName('faults');
  const bucket = uniqueName('faults');

  beforeAll(async () => {
    // Slow enough that accepted events are still waiting or running when the process dies.
    fn = await makeFunction(
      { source: `exports.main_handler = (event) => new Promise((done) => setTimeout(done, 300, event))` },
      false,
    );
    ticking = await makeFunction({ source: `exports.main_handler = async (event) => event.Time` }, false);
    const admin = kafka().admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await admin.disconnect();
    producer = kafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await objects.makeBucket(bucket);
    await fn.trigger('ckafka', `ckafka-local-${topic}`, {
      maxMsgNum: 10,
      offset: 'latest',
      retry: 10_000,
      timeOut: 1,
    });
    await fn.trigger('cos', bucket, { event: 'cos:ObjectCreated:*', filter: { Prefix: '', Suffix: '' } });
    await ticking.trigger('timer', 'tick', '* * * * * * *');
  });

  afterAll(async () => {
    await producer.disconnect();
    await fn.remove();
    await ticking.remove();
    for await (const item of objects.listObjectsV2(bucket, '', true) as AsyncIterable<{ name: string }>) {
      await objects.removeObject(bucket, item.name);
    }
    await objects.removeBucket(bucket);
  });

  it.each(VICTIMS)('%s: everything works again, and what was accepted is executed', async (victim) => {
    const before = await statusOf(victim);
    const accepted: string[] = [];
    for (let n = 0; n < ACCEPTED; n++) accepted.push(await fn.invokeAsync({ victim, n }));

    await kill(victim);
    const meanwhile = await useDoors(`while ${victim} is away`, victim);
    await until(
      `${victim} is back`,
      async () => {
        const now = await statusOf(victim);
        return now.healthy && now.pid !== before.pid;
      },
      RECOVERY_MS,
    );

    for (const requestId of accepted) {
      const log = await logOf(fn.name, requestId, RECOVERY_MS);
      expect(log).toMatchObject({ RetCode: 0 });
    }
    await until('a sync call', async () => (await fn.invoke({ victim })).InvokeResult === 0, RECOVERY_MS);
    const later = await until('an async call', () => fn.invokeAsync({ victim }), RECOVERY_MS);
    await logOf(fn.name, later, RECOVERY_MS);
    await expectAnswers([...meanwhile, ...(await useDoors(`after ${victim}`))]);
    await expectControlPlane(`after ${victim}`);
  });

  it('a timer of every second has lost no tick and doubled none through all of it', async () => {
    await cloud.DeleteTrigger({ FunctionName: ticking.name, TriggerName: 'tick', Type: 'timer' });
    const deletedAt = Date.now();
    const found = await until(
      'every tick until the timer was deleted has run',
      async () => {
        const requests = await requestsByTick();
        const ticks = [...requests.keys()].sort();
        const start = Date.parse(ticks[0] ?? '');
        const whole = ticks.every((tick, i) => Date.parse(tick) === start + i * 1_000);
        return whole && start + ticks.length * 1_000 >= deletedAt - 1_000 && requests;
      },
      RECOVERY_MS,
    );
    for (const [tick, requests] of found) expect([...requests], tick).toHaveLength(1);
  });

  /** The request ids under which each tick has run: one, even when it had to run again. */
  async function requestsByTick(): Promise<Map<string, Set<string>>> {
    const found = new Map<string, Set<string>>();
    for (const log of await logsOf(ticking.name)) {
      if (log.RetCode !== 0) continue;
      const tick = JSON.parse(log.RetMsg ?? '""') as string;
      found.set(tick, (found.get(tick) ?? new Set()).add(log.RequestId ?? ''));
    }
    return found;
  }

  /** Produces a record and puts an object, but not through what is away. Returns what the function will have seen of them. */
  async function useDoors(mark: string, away?: ProcessName): Promise<string[]> {
    const marks: string[] = [];
    if (away !== 'kafka') {
      await until('a record is produced', () => send(`record ${mark}`), RECOVERY_MS);
      marks.push(`record ${mark}`);
    }
    if (away !== 'minio') {
      await until(
        'an object is put',
        async () => Boolean(await objects.putObject(bucket, `object ${mark}`, 'x')),
        RECOVERY_MS,
      );
      marks.push(`object ${mark}`);
    }
    return marks;
  }

  async function expectAnswers(marks: readonly string[]): Promise<void> {
    await until(
      `answers to ${marks.join(', ')}`,
      async () => {
        const answers = (await logsOf(fn.name)).map((log) => log.RetMsg ?? '');
        return marks.every((mark) => answers.some((answer) => answer.includes(mark)));
      },
      RECOVERY_MS,
    );
  }

  async function send(value: string): Promise<boolean> {
    await producer.send({ topic, messages: [{ value }] });
    return true;
  }

  async function expectControlPlane(description: string): Promise<void> {
    await until(
      'the configuration can be changed',
      async () => {
        await cloud.UpdateFunctionConfiguration({ FunctionName: fn.name, Description: description });
        return true;
      },
      RECOVERY_MS,
    );
    expect(await cloud.GetFunction({ FunctionName: fn.name })).toMatchObject({ Description: description });
  }
});
