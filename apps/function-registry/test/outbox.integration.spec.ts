import { topics, type CredentialState } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutboxRelay } from '../src/outbox/outbox-relay.service.js';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

function credential(secretId: string, uin: string): CredentialState {
  return { secretId, encryptedSecretKey: 'v1.x', appId: '1', uin, enabled: true };
}

describe('the outbox', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(sharedParts().environment);
    await registry.bus.table(topics.credentials).ready;
  });
  afterAll(() => registry.stop());

  const waiting = () => registry.database.kysely.selectFrom('outbox').selectAll().execute();

  it('keeps nothing of a change that fails', async () => {
    const change = registry.changes.commit(async (tx) => {
      await registry.outbox.add(tx, topics.credentials, 'never', credential('never', '1'));
      throw new Error('in the middle');
    });
    await expect(change).rejects.toThrow('in the middle');
    expect(await waiting()).toEqual([]);
  });

  it('refuses what its topic could not take, before it is stored', async () => {
    const change = registry.changes.commit((tx) =>
      registry.outbox.add(tx, topics.credentials, 'bad', { secretId: 'bad' } as CredentialState),
    );
    await expect(change).rejects.toThrow();
    expect(await waiting()).toEqual([]);
  });

  it('publishes the changes of a key in their order with several relays at work, and empties itself', async () => {
    const key = uniqueName('key');
    const seen: string[] = [];
    const stopListening = registry.bus.table(topics.credentials).onChange((changed, value) => {
      if (changed === key && value) seen.push(value.uin);
    });
    const relays = [1, 2, 3].map(() => new OutboxRelay(registry.outbox, registry.bus, silentLogger()));
    const wanted = Array.from({ length: 60 }, (_, i) => String(i));
    for (const uin of wanted) {
      await registry.outbox.change((tx) =>
        registry.outbox.add(tx, topics.credentials, key, credential(key, uin)),
      );
      relays.forEach((relay) => relay.kick());
    }
    await eventually(() => seen.at(-1) === wanted.at(-1));
    expect(seen).toEqual(wanted);
    await eventually(async () => (await waiting()).length === 0);
    await Promise.all(relays.map((relay) => relay.onModuleDestroy()));
    stopListening();
  });

  it('announces again what a topic lost, has too much or has in an old form', async () => {
    const [lost, extra, old] = [uniqueName('lost'), uniqueName('extra'), uniqueName('old')];
    for (const name of [lost, old]) {
      await registry.functions.createFunction(command(createRequest(name), await registry.upload(codeZip())));
    }
    const table = registry.bus.table(topics.functions);
    const keyOf = (name: string) => `default/${name}/$LATEST`;
    const state = await eventually(() => table.get(keyOf(old)));
    await registry.bus.publish(topics.functions, [
      { key: keyOf(lost), value: null },
      { key: keyOf(extra), value: { ...state, functionName: extra } },
      { key: keyOf(old), value: { ...state, handler: 'other.handler' } },
    ]);
    await eventually(() => table.get(keyOf(old))?.handler === 'other.handler');
    expect(await registry.reconciler.reconcile()).toBeGreaterThanOrEqual(3);
    await eventually(() => table.get(keyOf(old))?.handler === state.handler);
    expect(table.get(keyOf(lost))?.functionName).toBe(lost);
    expect(table.get(keyOf(extra))).toBeUndefined();
    expect(await registry.reconciler.reconcile()).toBe(0);
  });
});
