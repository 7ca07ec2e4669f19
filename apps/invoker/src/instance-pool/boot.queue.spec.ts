import { describe, expect, it } from 'vitest';
import type { BootTurn } from '../instance/instance.types.js';
import { BootQueue } from './boot.queue.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('boot queue', () => {
  /** A boot that pulls first, and what has happened to it. */
  class PullingBoot {
    readonly pulled = Promise.withResolvers<void>();
    readonly booted = Promise.withResolvers<void>();
    state = 'waiting';

    constructor(queue: BootQueue, givesUp?: Promise<void>) {
      const boot = async (turn: BootTurn): Promise<void> => {
        this.state = 'pulling';
        await turn.lendWhile(this.pulled.promise);
        this.state = 'booting';
        await this.booted.promise;
        this.state = 'booted';
      };
      const never = new Promise<void>(() => undefined);
      void queue.run(
        () => true,
        (turn) => Promise.race([boot(turn), givesUp ?? never]),
      );
    }
  }

  it('runs so many at once, in order of arrival', async () => {
    const queue = new BootQueue(2);
    const order: number[] = [];
    const boots = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    boots.forEach(
      ({ promise }, n) =>
        void queue.run(
          () => true,
          () => (order.push(n), promise),
        ),
    );
    await settled();
    expect(order).toEqual([0, 1]);
    expect(queue.hasRoom).toBe(false);
    boots[1]?.resolve();
    await settled();
    expect(order).toEqual([0, 1, 2]);
    for (const { resolve } of boots) resolve();
    await settled();
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(queue.isEmpty).toBe(true);
  });

  it('skips what is not wanted any more at its turn', async () => {
    const queue = new BootQueue(1);
    expect(
      await queue.run(
        () => false,
        () => Promise.resolve('booted'),
      ),
    ).toBeUndefined();
    expect(
      await queue.run(
        () => true,
        () => Promise.resolve('booted'),
      ),
    ).toBe('booted');
  });

  it('gives the turn of a boot that only waits to others, and one again before those who had none', async () => {
    const queue = new BootQueue(1);
    const [first, second, third] = [new PullingBoot(queue), new PullingBoot(queue), new PullingBoot(queue)];
    await settled();
    expect([first, second, third].map(({ state }) => state)).toEqual(['pulling', 'pulling', 'pulling']);
    const other = Promise.withResolvers<void>();
    let others = 0;
    for (let n = 0; n < 2; n += 1)
      void queue.run(
        () => true,
        () => ((others += 1), other.promise),
      );
    await settled();
    expect(others).toBe(1);
    second.pulled.resolve();
    await settled();
    expect(second.state).toBe('pulling');
    other.resolve();
    await settled();
    expect([second.state, others]).toEqual(['booting', 1]);
    second.booted.resolve();
    await settled();
    expect([second.state, others]).toEqual(['booted', 2]);
    for (const { pulled, booted } of [first, third]) {
      pulled.resolve();
      booted.resolve();
    }
    await settled();
    expect([first.state, third.state, queue.isEmpty]).toEqual(['booted', 'booted', true]);
  });

  it('counts a boot once that is over before what it waited for', async () => {
    const queue = new BootQueue(1);
    for (const pullEndsFirst of [false, true]) {
      const givesUp = Promise.withResolvers<void>();
      const boot = new PullingBoot(queue, givesUp.promise);
      await settled();
      const other = Promise.withResolvers<void>();
      void queue.run(
        () => true,
        () => other.promise,
      );
      await settled();
      // It waits for a turn again, or still for its files, when it is over.
      if (pullEndsFirst) boot.pulled.resolve();
      await settled();
      givesUp.resolve();
      await settled();
      boot.pulled.resolve();
      other.resolve();
      await settled();
      expect(queue.isEmpty).toBe(true);
    }
  });
});
