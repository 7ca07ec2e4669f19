import type { FunctionState } from '@openscf/contracts';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { InstancePool } from './instance-pool.js';
import { FixedKeepAlive } from './keep-alive.types.js';
import type { Acquired } from './pool.types.js';
import { QuotaFake } from './quota.fake.js';
import { ScaleOutRate } from './scale-out.rate.js';
import { ScriptedInstance, turn } from './scripted-instance.fake.js';

function state(change: Partial<FunctionState> = {}): FunctionState {
  return {
    functionId: 'lam-1',
    functionName: 'web',
    revision: 1,
    memoryMb: 128,
    instanceConcurrency: 3,
    ...change,
  } as FunctionState;
}

describe('instance pool with several requests to an instance', () => {
  let made: ScriptedInstance[];
  let pool: InstancePool<ScriptedInstance>;
  let quota: QuotaFake;

  function makePool(change: { memoryMb?: number; perMinute?: number; most?: number } = {}): void {
    made = [];
    quota = new QuotaFake(change.most);
    pool = new InstancePool<ScriptedInstance>({
      memoryMb: change.memoryMb ?? 1024,
      bootsAtOnce: 3,
      quota,
      keepAlive: new FixedKeepAlive(1_000),
      rate: new ScaleOutRate(change.perMinute ?? 500),
      processors: { look: () => 'none' as const },
      log: () => undefined,
      create: (_key, of) => {
        const instance = new ScriptedInstance(of);
        made.push(instance);
        return instance;
      },
    });
  }

  beforeEach(() => makePool());

  async function acquire(of = state()): Promise<Acquired<ScriptedInstance>> {
    const asked = pool.acquire('web', of);
    await turn();
    for (const instance of made) if (instance.phase === 'initializing') instance.ready();
    return asked;
  }

  async function slot(of = state()): Promise<ScriptedInstance> {
    const acquired = await acquire(of);
    if (acquired.kind !== 'instance') throw new Error(`got ${acquired.kind}`);
    return acquired.instance;
  }

  function finish(instance: ScriptedInstance): void {
    pool.settling(instance);
    pool.release(instance);
  }

  it('fills an instance before it starts another, and counts concurrency by busy instances', async () => {
    const slots = [await slot(), await slot(), await slot()];
    expect(new Set(slots).size).toBe(1);
    expect(quota.taken).toBe(1);
    const fourth = await slot();
    expect(fourth).not.toBe(slots[0]);
    expect(quota.taken).toBe(2);
    finish(fourth);
    expect(quota.taken).toBe(1);
  });

  it('gives the next request to the most loaded instance that has a slot', async () => {
    const first = await slot();
    await slot();
    await slot();
    const second = await slot();
    finish(first);
    expect(await slot()).toBe(first);
    expect(await slot()).toBe(second);
  });

  it('starts one instance for as many as it can serve', async () => {
    const asked = [1, 2, 3, 4].map(() => pool.acquire('web', state()));
    await turn();
    expect(made).toHaveLength(2);
    expect(quota.taken).toBe(2);
    for (const instance of made) instance.ready();
    const got = await Promise.all(asked);
    expect(got.every(({ kind }) => kind === 'instance')).toBe(true);
  });

  it('refuses at once what is over the quota, and nothing that a busy instance can take', async () => {
    makePool({ most: 1 });
    await slot();
    await slot();
    await slot();
    expect(await acquire()).toMatchObject({ kind: 'over' });
    expect(quota.taken).toBe(1);
  });

  it('never gives a slot of an instance that takes no more, and ends it when its last request has ended', async () => {
    const instance = await slot();
    await slot();
    instance.phase = 'draining';
    pool.settling(instance);
    pool.release(instance);
    const asked = pool.acquire('web', state());
    await vi.waitFor(() => expect(made).toHaveLength(2));
    made[1]?.ready();
    expect(await asked).toEqual({ kind: 'instance', instance: made[1] });
    expect(instance.phase).toBe('draining');
    pool.settling(instance);
    pool.release(instance);
    expect(instance.phase).toBe('destroyed');
  });

  it('starts no more than so many instances a minute', async () => {
    makePool({ perMinute: 2 });
    const one = state({ instanceConcurrency: 1 });
    await slot(one);
    await slot(one);
    expect(await acquire(one)).toEqual({ kind: 'too-fast', perMinute: 2 });
    expect(quota.taken).toBe(2);
    expect(pool.usedMemoryMb).toBe(256);
  });

  it('says why an instance was started', async () => {
    const one = state({ instanceConcurrency: 1 });
    const first = await slot(one);
    expect(first.reason).toBe('first');
    expect((await slot(one)).reason).toBe('scale-out');
    first.phase = 'draining';
    finish(first);
    finish(made[1] as ScriptedInstance);
    pool.reap(performance.now() + 2_000);
    expect((await slot(one)).reason).toBe('idle-end');
    pool.retire('web', { ...one, revision: 2 });
    expect((await slot({ ...one, revision: 2 })).reason).toBe('new-revision');
  });

  it('keeps provisioned instances started, replaces them, and lets go what is too many', async () => {
    const one = state({ instanceConcurrency: 1 });
    pool.provision('web', one, 2);
    await turn();
    expect(made.map(({ reason }) => reason)).toEqual(['provisioned', 'provisioned']);
    expect(pool.provisioned).toEqual({ web: 0 });
    for (const instance of made) instance.ready();
    await turn();
    expect(pool.provisioned).toEqual({ web: 2 });
    pool.reap(performance.now() + 5_000);
    expect(made.map(({ phase }) => phase)).toEqual(['idle', 'idle']);
    (made[0] as ScriptedInstance).phase = 'destroying';
    pool.lost(made[0] as ScriptedInstance);
    expect(pool.provisioned).toEqual({ web: 1 });
    pool.reap();
    await turn();
    expect(made).toHaveLength(3);
    made[2]?.ready();
    await turn();
    pool.provision('web', { ...one, revision: 2 }, 2);
    pool.retire('web', { ...one, revision: 2 });
    await turn();
    expect(made.slice(0, 3).every(({ phase }) => phase !== 'idle')).toBe(true);
    expect(made).toHaveLength(5);
    for (const instance of made.slice(3)) instance.ready();
    await turn();
    pool.provision('web', { ...one, revision: 2 }, 1);
    pool.reap(performance.now() + 5_000);
    await turn();
    expect(pool.usedMemoryMb).toBe(128);
  });

  it('never evicts what is provisioned', async () => {
    makePool({ memoryMb: 128 });
    pool.provision('web', state(), 1);
    await turn();
    made[0]?.ready();
    await turn();
    expect(pool.acquire('other', state({ functionName: 'other' }))).toBeInstanceOf(Promise);
    expect(await pool.acquire('other', state({ functionName: 'other' }))).toEqual({ kind: 'no-memory' });
    expect(made[0]?.phase).toBe('idle');
  });

  it('tries a provisioned instance that does not start again, later each time', async () => {
    pool.provision('web', state(), 1);
    await turn();
    made[0]?.fail('provisioned');
    await turn();
    pool.reap();
    expect(made).toHaveLength(1);
    await vi.waitFor(() => {
      pool.reap();
      expect(made).toHaveLength(2);
    }, 3_000);
  });

  it('starts ahead only where there is none, and gives that to the first caller', async () => {
    expect(pool.prewarm('web', state(), true)).toBe(true);
    expect(pool.prewarm('web', state(), true)).toBe(true);
    await turn();
    expect(made).toHaveLength(1);
    const asked = pool.acquire('web', state());
    await turn();
    expect(made).toHaveLength(1);
    made[0]?.ready();
    expect(await asked).toEqual({ kind: 'instance', instance: made[0] });
  });

  it('keeps its counts whatever happens: slots, concurrency and memory', async () => {
    const step = fc.record({
      do: fc.constantFrom('acquire', 'acquire', 'boot', 'fail', 'finish', 'drain', 'lose', 'reap', 'hang-up'),
      which: fc.nat(30),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, slots) => {
          makePool({ memoryMb: 384, most: 3 });
          const of = state({ instanceConcurrency: slots });
          const open: ScriptedInstance[] = [];
          let waiting = 0;
          for (const { do: action, which } of steps) {
            const booting = made.filter(({ phase }) => phase === 'initializing');
            const idle = made.filter((i) => i.phase === 'idle' && !open.includes(i));
            const some = open[which % Math.max(1, open.length)];
            if (action === 'acquire' || action === 'hang-up') {
              waiting++;
              void Promise.resolve(pool.acquire('web', of)).then((acquired) => {
                waiting--;
                if (acquired.kind !== 'instance') return;
                expect(acquired.instance.usable).toBe(true);
                if (action === 'hang-up') pool.giveBack(acquired.instance);
                else open.push(acquired.instance);
              });
            } else if (action === 'boot') booting[which % booting.length]?.ready();
            else if (action === 'fail') booting[which % booting.length]?.fail();
            else if (action === 'finish' && some)
              finish(open.splice(open.indexOf(some), 1)[0] as ScriptedInstance);
            else if (action === 'drain' && some) some.phase = 'draining';
            else if (action === 'lose' && idle.length > 0) {
              const lost = idle[which % idle.length] as ScriptedInstance;
              lost.phase = 'destroying';
              pool.lost(lost);
            } else if (action === 'reap') pool.reap(performance.now() + 10_000);
            await turn();
            const loads = made.map((instance) => open.filter((each) => each === instance).length);
            expect(Math.max(0, ...loads)).toBeLessThanOrEqual(slots);
            expect(loads.filter((load, at) => load > 0 && made[at]?.phase === 'destroyed')).toEqual([]);
            expect(quota.taken).toBeGreaterThanOrEqual(loads.filter((load) => load > 0).length);
            expect(quota.taken).toBeLessThanOrEqual(3);
            expect(pool.usedMemoryMb).toBeLessThanOrEqual(384);
          }
          for (let guard = 0; guard < 200 && waiting > 0; guard++) {
            for (const instance of made) if (instance.phase === 'initializing') instance.ready();
            for (const instance of open.splice(0)) finish(instance);
            await turn();
          }
          for (const instance of open.splice(0)) finish(instance);
          await turn();
          expect(waiting).toBe(0);
          expect(quota.taken).toBe(0);
          for (const instance of made) if (instance.phase === 'initializing') instance.ready();
          await turn();
          pool.reap(performance.now() + 10_000);
          await turn();
          expect(pool.usedMemoryMb).toBe(0);
        },
      ),
      { numRuns: 80 },
    );
  });
});
