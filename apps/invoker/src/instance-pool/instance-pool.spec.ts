import type { FunctionState } from '@openscf/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOOK_MS } from './function.group.js';
import { InstancePool } from './instance-pool.js';
import { FixedKeepAlive } from './keep-alive.types.js';
import type { Room } from './processor-room.js';
import { QuotaFake } from './quota.fake.js';
import { ScaleOutRate } from './scale-out.rate.js';
import { busyInstanceOf, finishOn, ScriptedInstance, turn } from './scripted-instance.fake.js';
import type { Acquired } from './pool.types.js';

function state(name: string, change: Partial<FunctionState> = {}): FunctionState {
  return {
    functionId: 'lam-1',
    functionName: name,
    revision: 1,
    memoryMb: 128,
    instanceConcurrency: 1,
    ...change,
  } as FunctionState;
}

describe('instance pool', () => {
  let made: ScriptedInstance[];
  let pool: InstancePool<ScriptedInstance>;
  let slowDestroy: boolean;
  /** Ms of the pool's clock. */
  let clock: number;
  /** On the processors. */
  let room: Room;
  let quota: QuotaFake;

  function makePool(memoryMb = 512, bootsAtOnce = 3, keepAliveMs = 1_000): void {
    made = [];
    slowDestroy = false;
    clock = 0;
    room = 'unknown';
    quota = new QuotaFake();
    pool = new InstancePool({
      memoryMb,
      bootsAtOnce,
      quota,
      keepAlive: new FixedKeepAlive(keepAliveMs),
      rate: new ScaleOutRate(500),
      now: () => clock,
      processors: { look: () => room },
      log: () => undefined,
      create: (_key, of) => {
        const instance = new ScriptedInstance(of, slowDestroy);
        made.push(instance);
        return instance;
      },
    });
  }

  beforeEach(() => makePool());

  async function acquireBooted(name: string): Promise<ScriptedInstance> {
    const asked = pool.acquire(name, state(name));
    await turn();
    made.at(-1)?.ready();
    return busyInstanceOf(await asked);
  }

  const finish = (instance: ScriptedInstance): void => finishOn(pool, instance);

  it('boots an instance for the first call and uses it again for the next', async () => {
    const first = await acquireBooted('a');
    finish(first);
    expect(busyInstanceOf(await pool.acquire('a', state('a')))).toBe(first);
    expect(made).toHaveLength(1);
    expect(pool.usedMemoryMb).toBe(128);
  });

  it('takes the most recently used one', async () => {
    const first = await acquireBooted('a');
    const second = await acquireBooted('a');
    finish(second);
    finish(first);
    expect(busyInstanceOf(await pool.acquire('a', state('a')))).toBe(first);
  });

  it('serves who waits by what is free first, and drops boots that are not needed any more', async () => {
    makePool(2048, 1);
    const busy = await acquireBooted('a');
    const waiting = [1, 2, 3].map(() => pool.acquire('a', state('a')));
    await turn();
    expect(made).toHaveLength(2);
    finish(busy);
    const served = busyInstanceOf(await (waiting[0] as Promise<Acquired<ScriptedInstance>>));
    expect(served).toBe(busy);
    finish(served);
    expect(busyInstanceOf(await (waiting[1] as Promise<Acquired<ScriptedInstance>>))).toBe(busy);
    made[1]?.ready();
    expect(busyInstanceOf(await (waiting[2] as Promise<Acquired<ScriptedInstance>>))).toBe(made[1]);
    await turn();
    expect(made).toHaveLength(2);
    expect(pool.usedMemoryMb).toBe(256);
  });

  it('lets a call wait for an instance that has answered and is about to come back', async () => {
    const only = await acquireBooted('a');
    pool.settling(only);
    const asked = pool.acquire('a', state('a'));
    await turn();
    expect(made).toHaveLength(1);
    only.becomeIdle();
    pool.release(only);
    expect(busyInstanceOf(await asked)).toBe(only);
  });

  describe('with an instance that is busy, and whose calls took 1 ms so far', () => {
    let only: ScriptedInstance;

    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      only = await acquireBooted('a');
      for (let i = 0; i < 30; i++) {
        clock += 1;
        finish(only);
        busyInstanceOf(await pool.acquire('a', state('a')));
      }
    });

    afterEach(() => vi.useRealTimers());

    function pass(looks: number): void {
      clock += looks * LOOK_MS;
      for (let i = 0; i < looks; i++) vi.advanceTimersByTime(LOOK_MS);
    }

    /** Somebody waits all the time: whoever waited has the slot now, and the next one waits. */
    async function goOnFor(looks: number): Promise<Acquired<ScriptedInstance>[]> {
      const served: Acquired<ScriptedInstance>[] = [];
      for (let i = 0; i < looks; i++) {
        pass(1);
        finish(only);
        void Promise.resolve(pool.acquire('a', state('a'))).then((acquired) => served.push(acquired));
        await turn();
      }
      return served;
    }

    it('lets calls wait as long as they move on', async () => {
      const waiting = Array.from({ length: 2 }, () => pool.acquire('a', state('a')));
      for (const asked of waiting) {
        pass(2);
        finish(only);
        expect(busyInstanceOf(await asked)).toBe(only);
      }
      await turn();
      expect(made).toHaveLength(1);
    });

    it('boots one for who waits while its call is of another kind', async () => {
      const asked = pool.acquire('a', state('a'));
      await turn();
      expect(made).toHaveLength(1);
      pass(4);
      await turn();
      made[1]?.ready();
      expect(busyInstanceOf(await asked)).toBe(made[1]);
    });

    it('takes a time in which the host stood still for nobody’s fault', async () => {
      const asked = pool.acquire('a', state('a'));
      clock += 60_000;
      vi.advanceTimersByTime(LOOK_MS);
      finish(only);
      expect(busyInstanceOf(await asked)).toBe(only);
      expect(made).toHaveLength(1);
    });

    it('starts one more where waiting goes on and the processors have room, and none where they have not', async () => {
      void pool.acquire('a', state('a'));
      await goOnFor(40);
      expect(made).toHaveLength(1);
      room = 'some';
      await goOnFor(5);
      expect(made).toHaveLength(1);
      await goOnFor(10);
      expect(made).toHaveLength(2);
    });

    it('refuses nobody who waits because there is no memory for one more', async () => {
      room = 'some';
      for (const other of ['b', 'c', 'd']) await acquireBooted(other);
      expect(pool.usedMemoryMb).toBe(512);
      void pool.acquire('a', state('a'));
      const served = await goOnFor(30);
      expect(served.map(({ kind }) => kind)).toEqual(Array<string>(29).fill('instance'));
    });

    it('lets many wait where the processors have no room for more instances, and not for ever', async () => {
      room = 'none';
      void pool.acquire('a', state('a'));
      pass(1);
      for (let i = 0; i < 100; i++) void pool.acquire('a', state('a'));
      await turn();
      expect(made).toHaveLength(1);
      pass(40);
      await turn();
      expect(made.length).toBeGreaterThan(1);
    });

    it('boots for those whose turn is far away at this pace', async () => {
      for (let i = 0; i < 12; i++) void pool.acquire('a', state('a'));
      await turn();
      // Ten of them get their turn in a moment.
      expect(made).toHaveLength(1 + 2);
    });
  });

  it('boots one for who waited for an instance that did not come back', async () => {
    const only = await acquireBooted('a');
    pool.settling(only);
    const asked = pool.acquire('a', state('a'));
    only.phase = 'destroying';
    pool.release(only);
    await turn();
    made[1]?.ready();
    expect(busyInstanceOf(await asked)).toBe(made[1]);
  });

  it('boots no more at once than it may', async () => {
    makePool(2048, 2);
    for (let i = 0; i < 5; i++) void pool.acquire('a', state('a'));
    await turn();
    expect(made).toHaveLength(2);
    made[0]?.ready();
    await turn();
    expect(made).toHaveLength(3);
  });

  it('gives the failure of a boot to one caller, and boots again for the next', async () => {
    const [a, b] = [pool.acquire('a', state('a')), pool.acquire('a', state('a'))];
    await turn();
    made[0]?.fail();
    expect((await a).kind).toBe('boot-failed');
    made[1]?.ready();
    expect(busyInstanceOf(await b)).toBe(made[1]);
    expect(pool.usedMemoryMb).toBe(128);
  });

  it('ends the least recently used idle instance of another function when memory is short', async () => {
    makePool(256);
    const [a, b] = [await acquireBooted('a'), await acquireBooted('b')];
    finish(a);
    finish(b);
    const c = await acquireBooted('c');
    expect([a.phase, b.phase, c.phase]).toEqual(['destroyed', 'idle', 'busy']);
  });

  it('waits until an evicted instance is really gone', async () => {
    makePool(128);
    slowDestroy = true;
    const a = await acquireBooted('a');
    finish(a);
    const asked = pool.acquire('b', state('b'));
    await turn();
    expect(made).toHaveLength(1);
    a.gone();
    await turn();
    made[1]?.ready();
    expect((await asked).kind).toBe('instance');
    expect(pool.usedMemoryMb).toBe(128);
  });

  it('says at once that there is no memory when everything is busy', async () => {
    makePool(128);
    await acquireBooted('a');
    expect(await pool.acquire('b', state('b'))).toEqual({ kind: 'no-memory' });
    expect(await pool.acquire('a', state('a'))).toEqual({ kind: 'no-memory' });
  });

  it('reaps what was idle for longer than the keep-alive, and nothing else', async () => {
    const [old, young, busy] = [await acquireBooted('a'), await acquireBooted('a'), await acquireBooted('a')];
    finish(old);
    clock = 800;
    finish(young);
    clock = 1_200;
    pool.reap();
    expect([old.phase, young.phase, busy.phase]).toEqual(['destroyed', 'idle', 'busy']);
    expect(busyInstanceOf(await pool.acquire('a', state('a')))).toBe(young);
  });

  it('drains instances of an older revision: idle ones at once, busy ones when they come back', async () => {
    const [idle, busy] = [await acquireBooted('a'), await acquireBooted('a')];
    finish(idle);
    pool.retire('a', state('a', { revision: 2 }));
    expect([idle.phase, busy.phase]).toEqual(['destroyed', 'busy']);
    finish(busy);
    expect(busy.phase).toBe('destroyed');
    await turn();
    expect(pool.usedMemoryMb).toBe(0);
  });

  it('keeps the instances of the current revision when told of it again', async () => {
    const idle = await acquireBooted('a');
    finish(idle);
    pool.retire('a', state('a'));
    expect(idle.phase).toBe('idle');
  });

  it('ends everything when it closes, and lets nobody wait', async () => {
    const [busy, idle] = [await acquireBooted('a'), await acquireBooted('a')];
    finish(idle);
    const waiting = pool.acquire('b', state('b'));
    await pool.close();
    expect([busy.phase, idle.phase]).toEqual(['destroyed', 'destroyed']);
    expect(await waiting).toEqual({ kind: 'closed' });
    expect(pool.acquire('a', state('a'))).toEqual({ kind: 'closed' });
  });

  it('never holds more memory than the host gives, serves each caller once, and leaves no one waiting', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('acquire' as const), name: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constantFrom('boot', 'fail', 'finish', 'lose', 'retire'), which: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        makePool(512, 2);
        let asked = 0;
        let answered = 0;
        const busy: ScriptedInstance[] = [];
        for (const action of steps) {
          const booting = made.filter(({ phase }) => phase === 'initializing');
          if (action.do === 'acquire') {
            asked++;
            void Promise.resolve(pool.acquire(action.name, state(action.name))).then((acquired) => {
              answered++;
              if (acquired.kind === 'instance') {
                expect(acquired.instance.phase).toBe('idle');
                expect(acquired.instance.state.functionName).toBe(action.name);
                acquired.instance.phase = 'busy';
                busy.push(acquired.instance);
              }
            });
          } else if ('which' in action) {
            const idle = made.filter(({ phase }) => phase === 'idle');
            if (action.do === 'boot') booting[action.which % booting.length]?.ready();
            else if (action.do === 'fail') booting[action.which % booting.length]?.fail();
            else if (action.do === 'finish' && busy.length > 0)
              finish(busy.splice(action.which % busy.length, 1)[0] as ScriptedInstance);
            else if (action.do === 'lose' && idle.length > 0) {
              const lost = idle[action.which % idle.length] as ScriptedInstance;
              lost.phase = 'destroying';
              pool.lost(lost);
            } else if (action.do === 'retire') pool.retire('a', undefined);
          }
          await turn();
          expect(pool.usedMemoryMb).toBeLessThanOrEqual(512);
          expect(quota.taken).toBeGreaterThanOrEqual(busy.length);
        }
        for (let guard = 0; guard < 200 && answered < asked; guard++) {
          for (const instance of made) if (instance.phase === 'initializing') instance.ready();
          for (const instance of busy.splice(0)) finish(instance);
          await turn();
        }
        expect(answered).toBe(asked);
        for (const instance of busy.splice(0)) finish(instance);
        await turn();
        expect(quota.taken).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('does not create instances in a closed pool', async () => {
    const create = vi.fn();
    const closed = new InstancePool<ScriptedInstance>({
      create,
      memoryMb: 1,
      quota,
      keepAlive: new FixedKeepAlive(1),
      rate: new ScaleOutRate(1),
      bootsAtOnce: 1,
      processors: { look: () => room },
      log: () => undefined,
    });
    await closed.close();
    expect(closed.acquire('a', state('a'))).toEqual({ kind: 'closed' });
    expect(create).not.toHaveBeenCalled();
  });
});
