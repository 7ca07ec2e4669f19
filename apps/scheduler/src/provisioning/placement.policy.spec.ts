import { anInvokerState } from '@openscf/testing';
import { describe, expect, it } from 'vitest';
import { place, type PlacementInput, type ToPlace } from './placement.policy.js';

const invoker = (invokerId: string, memoryMb: number, runtimes = ['Nodejs20.19']) =>
  anInvokerState({ invokerId, memoryMb, runtimes });
const version = (instances: number, changes: Partial<ToPlace> = {}): ToPlace => ({
  functionKey: 'f/1',
  runtime: 'Nodejs20.19',
  memoryMb: 128,
  instances,
  ...changes,
});
const placed = (input: Partial<PlacementInput>) => {
  const result = place({
    versions: [],
    invokers: [invoker('a', 512), invoker('b', 1_024)],
    current: new Map(),
    startsAllowed: 100,
    ...input,
  });
  return { ...Object.fromEntries(result.placed), started: result.started };
};

describe('the placement of provisioned instances', () => {
  it('fills what has most memory left, and no host beyond its memory', () => {
    expect(placed({ versions: [version(6)] })).toEqual({ a: { 'f/1': 1 }, b: { 'f/1': 5 }, started: 6 });
    expect(placed({ versions: [version(99)] })).toEqual({ a: { 'f/1': 4 }, b: { 'f/1': 8 }, started: 12 });
  });

  it('uses only invokers that have the runtime and take calls', () => {
    const invokers = [
      invoker('a', 512, ['Php8.0']),
      { ...invoker('b', 512), accepting: false },
      invoker('c', 512),
    ];
    expect(placed({ invokers, versions: [version(2)] })).toEqual({ a: {}, c: { 'f/1': 2 }, started: 2 });
  });

  it('moves nothing that is wanted, and ends what is too much where most are', () => {
    const current = new Map([
      ['a', { 'f/1': 3 }],
      ['b', { 'f/1': 1 }],
    ]);
    expect(placed({ current, versions: [version(4)] })).toEqual({
      a: { 'f/1': 3 },
      b: { 'f/1': 1 },
      started: 0,
    });
    expect(placed({ current, versions: [version(2)] })).toEqual({
      a: { 'f/1': 1 },
      b: { 'f/1': 1 },
      started: 0,
    });
    expect(placed({ current })).toEqual({ a: {}, b: {}, started: 0 });
  });

  it('starts no more at once than is allowed, of all versions together', () => {
    const versions = [version(3), version(3, { functionKey: 'g/1' })];
    expect(placed({ versions, startsAllowed: 4 })).toMatchObject({ started: 4 });
  });
});
