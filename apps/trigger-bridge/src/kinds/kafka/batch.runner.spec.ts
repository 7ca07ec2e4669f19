import { topics, type CkafkaTrigger, type DeadEvent, type InvokeOutcome } from '@openscf/contracts';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { FunctionCaller, TriggerCall } from '../../publishing/function.caller.js';
import { BatchRunner, BatchStoppedError } from './batch.runner.js';
import { DeadBatchPublisher } from './dead-batch.publisher.js';
import type { TopicRecord } from './kafka-event.policy.js';

const trigger: CkafkaTrigger = {
  type: 'ckafka',
  namespace: 'default',
  functionName: 'f',
  functionId: 'lam-1',
  triggerName: 'ckafka-local-orders',
  qualifier: '$DEFAULT',
  enabled: true,
  revision: 1,
  createdAt: 1,
  instanceId: 'ckafka-local',
  topic: 'orders',
  maxMessages: 10,
  maxWaitMs: 100,
  retries: 2,
  offset: 'latest',
  consumerGroup: '',
};
const usage = { durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' };
const succeeded: InvokeOutcome = { kind: 'succeeded', statusCode: 200, ...usage };
const failed: InvokeOutcome = { kind: 'failed', statusCode: 430, message: 'boom', ...usage };
const throttled: InvokeOutcome = { kind: 'throttled', statusCode: 432, message: 'full' };
const lost: InvokeOutcome = { kind: 'refused', statusCode: 500, message: 'lost', retryable: false };

const records: TopicRecord[] = [7, 8].map((offset) => ({
  topic: 'orders',
  partition: 3,
  offset: String(offset),
  key: null,
  value: Buffer.from(`order ${offset}`),
}));

describe('BatchRunner', () => {
  let calls: TriggerCall[];
  let outcomes: InvokeOutcome[];
  let buried: DeadEvent[];
  let runner: BatchRunner;
  const stopping = new AbortController();
  const never = { stopping: new AbortController().signal, aborted: new AbortController().signal };

  beforeEach(() => {
    calls = [];
    outcomes = [];
    buried = [];
    const caller = {
      call: (_: CkafkaTrigger, call: TriggerCall) => {
        calls.push(call);
        return Promise.resolve(outcomes.shift() ?? succeeded);
      },
    };
    const bus = {
      publish: <T>(topic: { name: string }, messages: { value: T | null }[]) => {
        expect(topic.name).toBe(topics.deadEvents.name);
        for (const { value } of messages) buried.push(topics.deadEvents.schema.parse(value));
        return Promise.resolve();
      },
    };
    const account = { appId: '1', uin: '2', region: 'r' };
    runner = new BatchRunner(caller as unknown as FunctionCaller, new DeadBatchPublisher(bus, account), {
      functionErrorMs: 1,
      platformFirstMs: 1,
      platformLastMs: 2,
    });
  });

  it('is done when the function has answered', async () => {
    await runner.run(() => trigger, records, never);
    expect(calls).toHaveLength(1);
    expect(JSON.parse(calls[0]?.event.toString() ?? '')).toMatchObject({
      Records: [{ Ckafka: { offset: 7 } }, { Ckafka: { offset: 8 } }],
    });
  });

  it('keeps the request id over attempts and counts them', async () => {
    outcomes = [failed, lost, throttled, throttled, failed, succeeded];
    await runner.run(() => trigger, records, never);
    expect(new Set(calls.map((call) => call.requestId)).size).toBe(1);
    expect(calls.map((call) => call.retryNum)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(buried).toEqual([]);
  });

  it('buries the batch with its origin and its attempts when the retries are used up', async () => {
    outcomes = [failed, throttled, failed, failed];
    await runner.run(() => trigger, records, never);
    expect(buried).toHaveLength(1);
    expect(buried[0]).toMatchObject({
      reason: 'retries-exhausted',
      event: {
        requestId: calls[0]?.requestId,
        functionName: 'f',
        source: 'ckafka',
        origin: { topic: 'orders', partition: '3', firstOffset: '7', lastOffset: '8' },
      },
    });
    expect(buried[0]?.attempts.map((attempt) => attempt.statusCode)).toEqual([430, 432, 430, 430]);
  });

  it('splits a dead batch that one record of Kafka cannot hold', async () => {
    outcomes = [failed, failed, failed];
    const large = records.map((record) => ({ ...record, value: Buffer.alloc(300_000, 'x') }));
    await runner.run(() => trigger, large, never);
    expect(buried).toHaveLength(2);
    expect(new Set(buried.map((dead) => dead.event.requestId)).size).toBe(2);
    expect(buried.map((dead) => dead.event.origin['batchRequestId'])).toEqual(
      Array.from({ length: 2 }, () => calls[0]?.requestId),
    );
  });

  it('is not settled when it is stopped while it waits', async () => {
    outcomes = Array.from({ length: 3 }, () => failed);
    const patient = new BatchRunner(
      { call: () => Promise.resolve(failed) } as unknown as FunctionCaller,
      new DeadBatchPublisher({ publish: vi.fn() }, { appId: '1', uin: '2', region: 'r' }),
      { functionErrorMs: 60_000, platformFirstMs: 60_000, platformLastMs: 60_000 },
    );
    const run = patient.run(() => trigger, records, { ...never, stopping: stopping.signal });
    stopping.abort();
    await expect(run).rejects.toBeInstanceOf(BatchStoppedError);
  });
});
