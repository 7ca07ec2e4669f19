import { INVOKER_LOST_AFTER_MS, topics, type Grant, type InvokerState } from '@openscf/contracts';
import { Bus } from '@openscf/bus';
import { silentLogger } from '@openscf/telemetry';
import { anInvokerState, eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Grants } from './grants.service.js';

const QUOTA_MB = 1_000;

describe('grants on Kafka', () => {
  const open: Bus[] = [];
  const heartbeat = (bus: Bus, state: InvokerState) =>
    bus.publish(topics.invokers, [{ key: state.invokerId, value: { ...state, sentAt: Date.now() } }]);

  function newBus(): Bus {
    const bus = new Bus({ brokers: sharedParts().brokers, clientId: 'test', logger: silentLogger() });
    open.push(bus);
    return bus;
  }

  async function newScheduler(): Promise<{ bus: Bus; grants: Grants }> {
    const bus = newBus();
    const grants = new Grants({
      bus,
      invokers: bus.table(topics.invokers),
      placements: bus.table(topics.placements),
      quotaMb: QUOTA_MB,
      logger: silentLogger(),
    });
    await grants.start();
    await eventually(() => grants.connected, { timeoutMs: 60_000 });
    return { bus, grants };
  }

  const isKnownTo = (grants: Grants, grant: Grant | undefined) =>
    grants
      .current()
      .some(({ invokerId, issuedAt }) => invokerId === grant?.invokerId && issuedAt === grant.issuedAt);

  beforeAll(async () => {
    const bus = newBus();
    await bus.ensureTopics(Object.values(topics));
    // Invokers of other tests would get their share of the quota.
    const invokers = bus.table(topics.invokers);
    await invokers.ready;
    const left = [...invokers.entries()].map(([key]) => ({ key, value: null }));
    if (left.length > 0) await bus.publish(topics.invokers, left);
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()));
  });

  it('reach an invoker after its first heartbeat, and a scheduler that starts later goes on with them', async () => {
    const observer = newBus();
    const placements = observer.table(topics.placements);
    await placements.ready;
    const first = await newScheduler();
    const a = anInvokerState({ invokerId: uniqueName('a'), memoryMb: 4_096 });
    const b = anInvokerState({ invokerId: uniqueName('b'), memoryMb: 4_096 });

    await heartbeat(observer, a);
    const granted = await eventually(() => placements.get(a.invokerId));
    expect(granted).toMatchObject({ epoch: a.epoch, concurrencyMb: QUOTA_MB });
    await first.bus.close();

    // The whole quota is out: the newcomer gets its half only when the other keeps to the smaller grant.
    await newScheduler();
    const smaller = await eventually(async () => {
      await heartbeat(observer, b);
      await heartbeat(observer, a);
      const grant = placements.get(a.invokerId);
      return grant?.concurrencyMb === QUOTA_MB / 2 && grant;
    });
    expect(smaller.earlier).toMatchObject({ concurrencyMb: QUOTA_MB });
    expect(placements.get(b.invokerId)).toBeUndefined();

    const keeping = { ...a, grantIssuedAt: smaller.issuedAt };
    const other = await eventually(async () => {
      await heartbeat(observer, keeping);
      return placements.get(b.invokerId);
    });
    expect(other.concurrencyMb).toBe(QUOTA_MB / 2);
    await observer.publish(
      topics.invokers,
      [a, b].map(({ invokerId }) => ({ key: invokerId, value: null })),
    );
  });

  it('are given by one of several schedulers, and not for an old heartbeat', async () => {
    const schedulers = await Promise.all([newScheduler(), newScheduler()]);
    const observer = newBus();
    const seen: Grant[] = [];
    const placements = observer.table(topics.placements);
    await placements.ready;
    const invoker = anInvokerState({ invokerId: uniqueName('c'), memoryMb: 1 });
    placements.onChange((key, grant) => key === invoker.invokerId && grant && seen.push(grant));
    await observer.publish(topics.invokers, [
      { key: invoker.invokerId, value: { ...invoker, sentAt: Date.now() - INVOKER_LOST_AFTER_MS } },
    ]);
    // While the group settles, the scheduler that hands over and the one that takes over may each grant.
    await eventually(async () => {
      await heartbeat(observer, invoker);
      return seen.length > 0 && schedulers.every(({ grants }) => isKnownTo(grants, seen.at(-1)));
    });
    const settled = seen.length;
    expect(settled).toBeLessThanOrEqual(schedulers.length);
    for (let beat = 0; beat < 5; beat++) await heartbeat(observer, invoker);
    const other = anInvokerState({ invokerId: uniqueName('d'), memoryMb: 1 });
    await heartbeat(observer, other);
    // Heartbeats are handled in order: with the grant of the last one the answers to those before it are here.
    await eventually(() => placements.get(other.invokerId));
    expect(seen).toHaveLength(settled);
  });
});
