import type { TriggerState } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { cosTrigger } from '../kinds/object-store/object-change.fake.js';
import type { TriggerKind } from './trigger-kind.types.js';
import { TriggerFollower, type TriggerTable } from './trigger.follower.js';

type Listener = Parameters<TriggerTable['onChange']>[0];

function kindOf(type: TriggerState['type'], told: string[]): TriggerKind {
  return {
    type,
    begin: (triggers) => Promise.resolve(void told.push(`begin ${[...triggers.keys()].join()}`)),
    changed: (key, trigger) => void told.push(`${key} ${trigger ? 'set' : 'gone'}`),
    stop: () => Promise.resolve(),
  };
}

describe('TriggerFollower', () => {
  it('hands over what is there and then every change, each to its kind', async () => {
    const listeners: Listener[] = [];
    const trigger = cosTrigger();
    const table: TriggerTable = {
      ready: Promise.resolve(),
      values: () => [trigger],
      onChange: (listener) => void listeners.push(listener),
    };
    const [objects, timers]: string[][] = [[], []];
    const follower = new TriggerFollower(table, [
      kindOf('cos', objects ?? []),
      kindOf('timer', timers ?? []),
    ]);
    await follower.start();
    listeners[0]?.('default/f/cos/other', { ...trigger, triggerName: 'other' }, undefined);
    listeners[0]?.('default/thumbnail/cos/photos', undefined, trigger);
    expect(objects).toEqual([
      'begin default/thumbnail/cos/photos',
      'default/f/cos/other set',
      'default/thumbnail/cos/photos gone',
    ]);
    expect(timers).toEqual(['begin ']);
  });
});
