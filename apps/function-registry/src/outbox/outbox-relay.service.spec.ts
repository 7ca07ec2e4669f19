import type { Bus } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OutboxRelay } from './outbox-relay.service.js';
import type { OutboxRecord, OutboxRepository } from './outbox.repository.js';

function record(id: string, key: string): OutboxRecord {
  return { id, topic: topics.functions.name, key, value: null };
}

/** An outbox in memory that keeps what could not be published. */
class OutboxFake {
  constructor(readonly waiting: OutboxRecord[] = []) {}

  readonly relay: OutboxRepository['relay'] = async (limit, publish) => {
    const records = this.waiting.slice(0, limit);
    if (records.length > 0) await publish(records);
    this.waiting.splice(0, records.length);
    return records.length;
  };
}

describe('OutboxRelay', () => {
  let relay: OutboxRelay;
  afterEach(() => relay.onModuleDestroy());

  function started(outbox: OutboxFake, publish: (keys: (string | null)[]) => Promise<void>): OutboxRelay {
    const bus = {
      publish: (_topic: unknown, messages: { key: string | null }[]) =>
        publish(messages.map(({ key }) => key)),
    };
    relay = new OutboxRelay(outbox as unknown as OutboxRepository, bus as unknown as Bus, silentLogger());
    return relay;
  }

  it('publishes in order, and what is added during a pass with the next one', async () => {
    const outbox = new OutboxFake([record('1', 'a'), record('2', 'b')]);
    const sent: (string | null)[][] = [];
    started(outbox, async (keys) => {
      sent.push(keys);
      if (sent.length > 1) return;
      outbox.waiting.push(record('3', 'a'));
      relay.kick();
    });
    relay.kick();
    await vi.waitFor(() => expect(sent).toEqual([['a', 'b'], ['a']]));
    expect(outbox.waiting).toEqual([]);
  });

  it('keeps what could not be published and tries again by itself', async () => {
    const outbox = new OutboxFake([record('1', 'a')]);
    const publish = vi
      .fn<(keys: (string | null)[]) => Promise<void>>()
      .mockRejectedValueOnce(new Error('away'))
      .mockResolvedValue();
    started(outbox, publish).kick();
    await vi.waitFor(() => expect(outbox.waiting).toEqual([]), { timeout: 3000 });
    expect(publish.mock.calls).toEqual([[['a']], [['a']]]);
  });

  it('does nothing after it was stopped', async () => {
    const outbox = new OutboxFake([record('1', 'a')]);
    const publish = vi.fn<() => Promise<void>>().mockResolvedValue();
    await started(outbox, publish).onModuleDestroy();
    relay.kick();
    expect(publish).not.toHaveBeenCalled();
  });
});
