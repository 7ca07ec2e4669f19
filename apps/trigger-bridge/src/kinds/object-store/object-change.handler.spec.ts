import { UnavailableError, type AsyncEvent } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { beforeEach, describe, expect, it } from 'vitest';
import { ObjectChangeHandler, type SeenEvents } from './object-change.handler.js';
import { cosTrigger, objectChange, report } from './object-change.fake.js';
import { reportOf } from './object-report.factory.js';

const context = { appId: '1', uin: '2', region: 'ap-guangzhou', objectUrl: 'http://o' };

/** What the table does, in memory: nothing is remembered when `fire` rejects. */
class SeenInMemory implements SeenEvents {
  away = false;
  private readonly identities = new Set<string>();

  async once(
    identities: readonly string[],
    fire: (fresh: ReadonlySet<string>) => Promise<void>,
  ): Promise<void> {
    if (this.away) throw new UnavailableError('PostgreSQL is away');
    const fresh = new Set(identities.filter((identity) => !this.identities.has(identity)));
    if (fresh.size > 0) await fire(fresh);
    for (const identity of fresh) this.identities.add(identity);
  }
}

describe('ObjectChangeHandler', () => {
  let published: AsyncEvent[];
  let kafkaAway: boolean;
  let seen: SeenInMemory;
  let since: number;
  const bus = {
    publish: <T>(_: unknown, messages: { value: T | null }[]) => {
      if (kafkaAway) return Promise.reject(new UnavailableError('Kafka is away'));
      published.push(...messages.map((message) => message.value as AsyncEvent));
      return Promise.resolve();
    },
  };
  const made = (): ObjectChangeHandler =>
    new ObjectChangeHandler(
      (bucket) =>
        [{ trigger: cosTrigger({ suffix: '.jpg' }), since }].filter((each) => each.trigger.bucket === bucket),
      seen,
      bus,
      silentLogger(),
      context,
    );

  beforeEach(() => {
    published = [];
    kafkaAway = false;
    seen = new SeenInMemory();
    since = 0;
  });

  it('fires once for the two reports of a change, in whatever batches they come', async () => {
    const handler = made();
    const change = objectChange();
    await Promise.all([handler.handle([report(change)]), handler.handle([report(change), report(change)])]);
    await handler.handle([report(objectChange({ sequencer: '2' }))]);
    expect(published).toHaveLength(2);
  });

  it('does not fire the late report after a restart', async () => {
    await made().handle([report(objectChange())]);
    await made().handle([report(objectChange())]);
    expect(published).toHaveLength(1);
  });

  it('ignores what no trigger wants', async () => {
    await made().handle([report(objectChange({ key: 'a.png' }))]);
    expect(published).toEqual([]);
  });

  it('fires once for an object that is found and reported', async () => {
    const lastModifiedMs = Date.parse('2018-12-19T07:49:30.123Z');
    const sequencer = (BigInt(lastModifiedMs) * 1_000_000n + 456_789n).toString(16).toUpperCase();
    const object = { key: 'in/a b.jpg', sizeBytes: 1, etag: 'e', lastModifiedMs };
    await made().handle([reportOf('photos', object)], { found: true });
    await made().handle([report(objectChange({ sequencer }))]);
    expect(published).toHaveLength(1);
  });

  it('does not fire for an object that is found and older than the trigger', async () => {
    since = Date.parse('2018-12-19T07:49:30.124Z');
    const object = { key: 'a.jpg', sizeBytes: 1, etag: 'e', lastModifiedMs: since - 1 };
    await made().handle([reportOf('photos', object)], { found: true });
    expect(published).toEqual([]);
  });

  it('rejects while the event cannot be stored, and fires afterwards', async () => {
    const handler = made();
    kafkaAway = true;
    await expect(handler.handle([report(objectChange())])).rejects.toThrow('Kafka is away');
    kafkaAway = false;
    await handler.handle([report(objectChange())]);
    expect(published).toHaveLength(1);
  });

  it('goes on from memory without PostgreSQL', async () => {
    const handler = made();
    seen.away = true;
    await handler.handle([report(objectChange())]);
    await handler.handle([report(objectChange())]);
    expect(published).toHaveLength(1);
  });
});
