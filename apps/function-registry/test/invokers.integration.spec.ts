import { Bus } from '@openscf/bus';
import { INVOKER_LOST_AFTER_MS, topics, type InvokerState } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Invokers } from '../src/fleet/invokers.service.js';

describe('invokers', () => {
  let bus: Bus;
  beforeAll(async () => {
    bus = new Bus({
      brokers: sharedParts().brokers,
      clientId: uniqueName('invokers'),
      logger: silentLogger(),
    });
    await bus.ensureTopics([topics.invokers]);
  });
  afterAll(() => bus.close());

  const heartbeat = (invokerId: string, sentAt: number): InvokerState => ({
    invokerId,
    epoch: 'e',
    address: '127.0.0.1:1',
    accepting: true,
    memoryMb: 1000,
    usedMemoryMb: 0,
    runtimes: ['Nodejs22'],
    missingRuntimes: {},
    provisioned: {},
    sentAt,
  });

  it('are alive while their heartbeats are young', async () => {
    const invokers = new Invokers(bus);
    const [alive, lost] = [uniqueName('alive'), uniqueName('lost')];
    await bus.publish(topics.invokers, [
      { key: lost, value: heartbeat(lost, Date.now() - INVOKER_LOST_AFTER_MS - 1000) },
      { key: alive, value: heartbeat(alive, Date.now() + 3_600_000) },
    ]);
    const ids = () => invokers.live().map(({ invokerId }) => invokerId);
    await eventually(() => ids().includes(alive));
    expect(ids()).not.toContain(lost);
    await bus.publish(
      topics.invokers,
      [alive, lost].map((key) => ({ key, value: null })),
    );
    await eventually(() => !ids().includes(alive));
  });
});
