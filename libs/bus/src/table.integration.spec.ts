import { topics, type FunctionState, type Topic } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { aFunctionState, sharedParts, uniqueName } from '@openscf/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Bus } from './index.js';

const { brokers } = sharedParts();
const open: Bus[] = [];

function newBus(clientId = 'test'): Bus {
  const bus = new Bus({ brokers, clientId, logger: silentLogger() });
  open.push(bus);
  return bus;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});

function tableTopic(): Topic<FunctionState> {
  return { ...topics.functions, name: `test.${uniqueName('functions')}` };
}

describe('table', () => {
  it('holds the newest value of every key, follows changes and forgets what was removed', async () => {
    const topic = tableTopic();
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const state = aFunctionState();
    await bus.publish(topic, [
      { key: 'a', value: { ...state, revision: 1 } },
      { key: 'b', value: state },
      { key: 'a', value: { ...state, revision: 2 } },
      { key: 'b', value: null },
    ]);
    const table = newBus().table(topic);
    await table.ready;
    expect([table.size, table.get('a')?.revision, table.get('b')]).toEqual([1, 2, undefined]);

    const changes: (number | undefined)[] = [];
    table.onChange((_key, value) => changes.push(value?.revision));
    const seen = table.waitFor({ key: 'a', revision: 3 }, 10_000);
    await bus.publish(topic, [{ key: 'a', value: { ...state, revision: 3 } }]);
    expect(await seen).toBe(true);
    await bus.publish(topic, [{ key: 'a', value: null }]);
    expect(await table.waitFor({ key: 'a', revision: null }, 10_000)).toBe(true);
    expect(changes).toEqual([3, undefined]);
    expect(await table.waitFor({ key: 'a', revision: 9 }, 20)).toBe(false);
  });

  it('is ready at once when the topic is empty, and passes over what it cannot read', async () => {
    const topic = tableTopic();
    const bus = newBus();
    await bus.ensureTopics([topic]);
    const table = bus.table(topic);
    await table.ready;
    await bus.publishRaw(topic.name, [{ key: 'broken', value: Buffer.from('{') }]);
    await bus.publish(topic, [{ key: 'fine', value: aFunctionState() }]);
    expect(await table.waitFor({ key: 'fine', revision: 1 }, 10_000)).toBe(true);
    expect(table.size).toBe(1);
  });
});
