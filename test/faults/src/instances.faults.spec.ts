/** Scenarios 11, 12 and 13: hang-ups, a burst, and the reaper. */
import { eventually } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultsPlatform } from './faults.platform.js';

const MEMORY_MB = 128;
/** As many as may run at once. */
const ROOM = 4;
const KEEP_ALIVE_MS = 1_000;
/** How often an invoker ends what has been idle for too long. */
const REAPER_MS = 1_000;
const REAPED = Array.from({ length: ROOM }, (_, n) => `reaped-${n}`);
/** Returns which instance it is. */
const HOLD_SOURCE = `const instance = require('crypto').randomUUID();
exports.main_handler = ({ holdMs = 0 }) => new Promise((done) => setTimeout(done, holdMs, instance));`;

let platform: FaultsPlatform;

beforeAll(async () => {
  platform = await FaultsPlatform.start({
    OPENSCF_CONCURRENCY_QUOTA_MB: String(ROOM * MEMORY_MB),
    OPENSCF_INVOKER_MEMORY_MB: String(2 * ROOM * MEMORY_MB),
    OPENSCF_KEEP_ALIVE_SECONDS: String(KEEP_ALIVE_MS / 1_000),
  });
  for (const name of ['hung-up', 'burst', ...REAPED])
    await platform.deploy({ FunctionName: name }, HOLD_SOURCE);
});

afterAll(() => platform.stop());

describe('callers that hang up (11)', () => {
  it('give back what they held: as many as before run again', async () => {
    const body = (holdMs: number) =>
      JSON.stringify({ FunctionName: 'hung-up', Event: JSON.stringify({ holdMs }) });
    for (let round = 0; round < 5; round += 1) {
      const hangUps = Array.from({ length: 3 * ROOM }, async () => {
        const left = new AbortController();
        const sent = fetch(platform.running.urls.gateway, {
          method: 'POST',
          headers: platform.signed('InvokeFunction', body(300)),
          body: body(300),
          signal: left.signal,
        }).catch(() => undefined);
        setTimeout(() => left.abort(), Math.random() * 200);
        await sent;
      });
      await Promise.all(hangUps);
    }
    const all = await eventually(async () => {
      const calls = Array.from({ length: ROOM }, (_, n) =>
        platform.call('hung-up', String(n), { holdMs: 300 }),
      );
      const ends = await Promise.all(calls);
      return ends.every(({ statusCode }) => statusCode === 0) && ends;
    });
    expect(all).toHaveLength(ROOM);
  });
});

describe('a burst ten times over what may run (12)', () => {
  it('is answered at once where there is no room, and leaves nothing behind', async () => {
    const calls = Array.from({ length: 10 * ROOM }, (_, n) =>
      platform.call('burst', String(n), { holdMs: 1_000 }),
    );
    const ends = await Promise.all(calls);
    const throttled = ends.filter(({ statusCode }) => statusCode === 432);
    expect(ends.filter(({ statusCode }) => ![0, 432].includes(statusCode))).toEqual([]);
    expect(throttled.length).toBeGreaterThanOrEqual(8 * ROOM);
    expect(ends.length - throttled.length).toBeGreaterThanOrEqual(ROOM);
    const after = await eventually(async () => {
      const again = await Promise.all(
        Array.from({ length: ROOM }, (_, n) => platform.call('burst', `after-${n}`, { holdMs: 300 })),
      );
      return again.every(({ statusCode }) => statusCode === 0) && again;
    });
    expect(after).toHaveLength(ROOM);
  });

  it('loses no accepted event', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 * ROOM }, async () => {
        const { Result } = await platform.cloud.Invoke({
          FunctionName: 'burst',
          InvocationType: 'Event',
          ClientContext: JSON.stringify({ holdMs: 100 }),
        });
        return Result?.FunctionRequestId ?? '';
      }),
    );
    for (const id of ids) {
      await eventually(
        async () => {
          const { Data = [] } = await platform.cloud.GetFunctionLogs({
            FunctionName: 'burst',
            FunctionRequestId: id,
          });
          return Data.some(({ InvokeFinished, RetCode }) => InvokeFinished === 1 && RetCode === 0);
        },
        { timeoutMs: 60_000, intervalMs: 200 },
      );
    }
    expect(new Set(ids).size).toBe(10 * ROOM);
  });
});

describe('the reaper and a request (13)', () => {
  it('never meet: the request wins, whenever it comes', async () => {
    const seen = new Set<string>();
    const meet = async (name: string): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        const before = await platform.call(name, `before-${round}`);
        // When an instance may be ended, and the reaper comes by at some time.
        const idleMs = KEEP_ALIVE_MS + Math.random() * REAPER_MS;
        await new Promise((resolve) => setTimeout(resolve, idleMs));
        const after = await platform.call(name, `after-${round}`, { holdMs: 20 });
        for (const { statusCode, message } of [before, after]) expect([statusCode, message]).toEqual([0, '']);
        seen.add(after.result === before.result ? 'the request came first' : 'the reaper came first');
      }
    };
    await Promise.all(REAPED.map(meet));
    expect([...seen].sort()).toEqual(['the reaper came first', 'the request came first']);
  });
});
