import { Bus } from '@openscf/bus';
import {
  GrantFence,
  INVOKER_LOST_AFTER_MS,
  quotaPool,
  topics,
  type ConcurrencyState,
  type Grant,
  type InvokerState,
} from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { aFunctionState, anInvokerState, eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GRANT_RENEW_MS } from './grant.policy.js';
import { Grants, type GrantsOptions } from './grants.service.js';

const QUOTA_MB = 1_024;
const account = (grant: Grant | undefined) => grant?.quotas[quotaPool.account]?.mb;

describe('grants on Kafka', () => {
  const open: Bus[] = [];

  function newBus(): Bus {
    const bus = new Bus({ brokers: sharedParts().brokers, clientId: 'test', logger: silentLogger() });
    open.push(bus);
    return bus;
  }

  function newGrants(bus: Bus, options: Partial<GrantsOptions> = {}): Grants {
    return new Grants({
      bus,
      invokers: bus.table(topics.invokers),
      placements: bus.table(topics.placements),
      functions: bus.table(topics.functions),
      concurrency: bus.table(topics.concurrency),
      accountMb: QUOTA_MB,
      namespaceMb: {},
      startsPerMinute: 1_000,
      logger: silentLogger(),
      ...options,
    });
  }

  /** One that competes for the heartbeats. */
  async function newScheduler(): Promise<{ bus: Bus; grants: Grants }> {
    const bus = newBus();
    const grants = newGrants(bus);
    await grants.start();
    await eventually(() => grants.connected, { timeoutMs: 60_000 });
    return { bus, grants };
  }

  /** One that the test hands its heartbeats to, and whose records it can hold back. */
  async function newPuppet() {
    const bus = newBus();
    const held: (() => void)[] = [];
    const puppet = {
      isHeld: false,
      release: () => held.splice(0).forEach((go) => go()),
      grants: newGrants(bus, {
        bus: {
          consume: () => ({ connected: true, stop: () => Promise.resolve() }),
          publish: async (topic, messages) => {
            if (puppet.isHeld) await new Promise<void>((resolve) => held.push(resolve));
            await bus.publish(topic, messages);
          },
        },
      }),
    };
    await puppet.grants.start();
    return puppet;
  }

  /** Everyone's view: what counts, in the order of the topic, and what does not. */
  async function newObserver() {
    const bus = newBus();
    const fence = new GrantFence();
    const observer = {
      bus,
      fence,
      valid: [] as Grant[],
      dropped: [] as Grant[],
      newest: (invokerId: string) => observer.valid.findLast((grant) => grant.invokerId === invokerId),
      beat: (state: InvokerState) => {
        const beat = { ...state, sentAt: Date.now() };
        return bus.publish(topics.invokers, [{ key: state.invokerId, value: beat }]).then(() => beat);
      },
    };
    const placements = bus.table(topics.placements);
    placements.onChange((key, grant) => {
      const verdict = fence.read(key, grant);
      if (grant !== undefined && verdict === 'valid') observer.valid.push(grant);
      if (grant !== undefined && verdict === 'dropped') observer.dropped.push(grant);
    });
    await placements.ready;
    observer.valid.length = 0;
    return observer;
  }

  beforeEach(async () => {
    const bus = newBus();
    await bus.ensureTopics(Object.values(topics));
    // Invokers of other tests would get their part of the quota.
    const invokers = bus.table(topics.invokers);
    await invokers.ready;
    const left = [...invokers.entries()].map(([key]) => ({ key, value: null }));
    if (left.length > 0) await bus.publish(topics.invokers, left);
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()));
  });

  it('reach an invoker after its first heartbeat, and a scheduler that starts later goes on with them', async () => {
    const observer = await newObserver();
    const first = await newScheduler();
    const a = anInvokerState({ invokerId: uniqueName('a'), memoryMb: 4_096 });
    const b = anInvokerState({ invokerId: uniqueName('b'), memoryMb: 4_096 });

    await observer.beat(a);
    const granted = await eventually(() => observer.newest(a.invokerId));
    expect([granted.epoch, account(granted)]).toEqual([a.epoch, QUOTA_MB]);
    await first.bus.close();

    // The whole quota is out: the newcomer gets its half only when the other goes by the smaller grant.
    await newScheduler();
    const smaller = await eventually(async () => {
      await observer.beat(b);
      await observer.beat(a);
      const grant = observer.newest(a.invokerId);
      return account(grant) === QUOTA_MB / 2 && grant;
    });
    expect(smaller.earlier?.[quotaPool.account]?.mb).toBe(QUOTA_MB);
    expect(account(observer.newest(b.invokerId))).toBe(0);

    const keeping = { ...a, grantIssuedAt: smaller.issuedAt };
    await eventually(async () => {
      await observer.beat(keeping);
      return account(observer.newest(b.invokerId)) === QUOTA_MB / 2;
    });
    expect(observer.dropped).toEqual([]);
  });

  it('are given by one of several schedulers, once, and not for an old heartbeat', async () => {
    const observer = await newObserver();
    const schedulers = await Promise.all([newScheduler(), newScheduler()]);
    const invoker = anInvokerState({ invokerId: uniqueName('c'), memoryMb: 64 });
    const old = { ...invoker, sentAt: Date.now() - INVOKER_LOST_AFTER_MS };
    await observer.bus.publish(topics.invokers, [{ key: invoker.invokerId, value: old }]);
    await eventually(async () => {
      await observer.beat(invoker);
      return observer.newest(invoker.invokerId);
    });
    for (let beat = 0; beat < 5; beat++) await observer.beat(invoker);
    const other = anInvokerState({ invokerId: uniqueName('d'), memoryMb: 64 });
    await observer.beat(other);
    // Heartbeats are handled in order: with the grant of the last one the answers to those before it are here.
    await eventually(() => observer.newest(other.invokerId));
    const counted = observer.valid.filter(({ invokerId }) => invokerId === invoker.invokerId);
    const terms = observer.valid.map(({ granter }) => granter.term);
    // One grants at any time: none of an earlier term counts after one of a later. And once, until it is to be renewed.
    expect(terms).toEqual([...terms].sort((one, next) => one - next));
    counted.slice(1).forEach((grant, index) => {
      expect(grant.issuedAt - (counted[index]?.issuedAt ?? 0)).toBeGreaterThanOrEqual(GRANT_RENEW_MS);
    });
    const last = counted.at(-1)?.issuedAt;
    const knows = ({ grants }: { grants: Grants }) =>
      grants.current().some(({ issuedAt }) => issuedAt === last);
    await eventually(() => schedulers.every(knows));
  });

  it('of a scheduler that another one has followed do not count, also when they come in after the other has granted', async () => {
    const observer = await newObserver();
    const [first, second] = [await newPuppet(), await newPuppet()];
    const a = anInvokerState({ invokerId: uniqueName('e'), memoryMb: 4_096 });
    const b = anInvokerState({ invokerId: uniqueName('f'), memoryMb: 4_096 });

    // The first grants `b` all, and stops on the way.
    first.isHeld = false;
    await first.grants.onHeartbeat(await observer.beat({ ...a, memoryMb: 0 }));
    first.isHeld = true;
    const hanging = first.grants.onHeartbeat(await observer.beat(b));
    await eventually(() =>
      account(first.grants.current().find(({ invokerId }) => invokerId === b.invokerId)),
    );
    await observer.bus.publish(topics.invokers, [{ key: b.invokerId, value: null }]);

    await second.grants.onHeartbeat(await observer.beat({ ...a, memoryMb: 4_096 }));
    await eventually(() => account(observer.newest(a.invokerId)) === QUOTA_MB);
    first.release();
    await hanging;
    await eventually(() => observer.dropped.length > 0);
    expect(observer.dropped.map(({ invokerId }) => invokerId)).toContain(b.invokerId);
    expect(observer.newest(b.invokerId)).toBeUndefined();
    // It has learned that it does not grant any more: what it had noted counts no more, and it takes over anew.
    first.isHeld = false;
    await eventually(
      () => account(first.grants.current().find(({ invokerId }) => invokerId === a.invokerId)) === QUOTA_MB,
    );
    expect(
      first.grants.current().some(({ invokerId, epoch }) => invokerId === b.invokerId && epoch === b.epoch),
    ).toBe(false);
    const before = observer.fence.current;
    await first.grants.onHeartbeat(await observer.beat(b));
    await eventually(() => observer.newest(b.invokerId));
    expect(observer.fence.current?.term).toBeGreaterThan(before?.term ?? 0);
    expect(account(observer.newest(b.invokerId))).toBe(0);
    expect(account(observer.newest(a.invokerId))).toBe(QUOTA_MB / 2);
  });

  it('follow reservations and what is to stand ready, and divide the account among them', async () => {
    const observer = await newObserver();
    const scheduler = await newPuppet();
    const state = aFunctionState({ functionName: uniqueName('reserved'), version: '1', memoryMb: 128 });
    const { namespace, functionName, functionId } = state;
    const key = `${namespace}/${functionName}`;
    await observer.bus.publish(topics.functions, [{ key: `${key}/1`, value: state }]);
    const invoker = anInvokerState({
      invokerId: uniqueName('g'),
      memoryMb: 4_096,
      runtimes: [state.runtime],
    });
    const set = async (change: Partial<ConcurrencyState> | null) => {
      const provisioned = [{ version: '1', instances: 2, schedule: [] }];
      const value = {
        namespace,
        functionName,
        functionId,
        revision: 1,
        reservedMb: 512,
        provisioned,
        ...change,
      };
      await observer.bus.publish(topics.concurrency, [{ key, value: change === null ? null : value }]);
    };
    const quotas = async () => {
      const grantIssuedAt = observer.newest(invoker.invokerId)?.issuedAt;
      await scheduler.grants.onHeartbeat(await observer.beat({ ...invoker, grantIssuedAt }));
      const grant = observer.newest(invoker.invokerId);
      return {
        provisioned: grant?.provisioned[`${key}/1`],
        mb: Object.values(grant?.quotas ?? {}).map(({ mb }) => mb),
      };
    };
    await set({});
    // The account's part shrinks first; what is told to stand ready is not called upon before.
    const own = await eventually(async () => {
      const { provisioned, mb } = await quotas();
      return provisioned === 2 && mb.length === 3 && !mb.includes(0) && observer.newest(invoker.invokerId);
    });
    expect(own.quotas[quotaPool.provisioned(`${key}/1`)]).toMatchObject({ mb: 256, totalMb: 512 });
    expect(own.quotas[quotaPool.function(state)]).toMatchObject({ mb: 256, totalMb: 512 });
    expect(account(own)).toBe(512);
    await set(null);
    await eventually(async () => {
      const { mb } = await quotas();
      return mb.length === 1 && mb[0] === QUOTA_MB;
    });
    await observer.bus.publish(topics.functions, [{ key: `${key}/1`, value: null }]);
  });
});
