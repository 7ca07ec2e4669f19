import { quotaPool, type ConcurrencyState, type Provisioned } from '@openscf/contracts';
import { aFunctionState, aGrant, anInvokerState } from '@openscf/testing';
import { describe, expect, it } from 'vitest';
import { FunctionFacts, quotaPools } from '../grants/quota-pools.policy.js';
import { Provisioner } from './provisioner.service.js';

const state = aFunctionState({ functionName: 'f', version: '1', memoryMb: 128 });
const key = 'default/f/1';
const invoker = anInvokerState({ invokerId: 'i', epoch: 'e', runtimes: [state.runtime] });

function concurrency(
  provisioned: Partial<Provisioned>,
  changes: Partial<ConcurrencyState> = {},
): ConcurrencyState {
  const { namespace, functionName, functionId } = state;
  const one = { version: '1', instances: 4, schedule: [], ...provisioned };
  return { namespace, functionName, functionId, revision: 1, provisioned: [one], ...changes };
}

function provisioner(row: ConcurrencyState, functions = [state]): Provisioner {
  const rows = new Map(functions.map((each) => [key, each]));
  return new Provisioner({
    functions: rows,
    concurrency: new Map([['default/f', row]]),
    startsPerMinute: 20,
  });
}

const kept = (instances: number) => {
  const grant = aGrant({ invokerId: 'i', epoch: 'e', provisioned: { [key]: instances } });
  return { get: () => grant };
};
const view = { now: 0, invokers: [invoker], book: { get: () => undefined } };

describe('provisioner', () => {
  it('wants what is configured for versions that are there', () => {
    expect(provisioner(concurrency({})).wanted(view)).toMatchObject([
      { functionKey: key, instances: 4, memoryMb: 128 },
    ]);
    expect(provisioner(concurrency({ instances: 0 })).wanted(view)).toEqual([]);
    expect(provisioner(concurrency({}, { functionId: 'lam-before' })).wanted(view)).toEqual([]);
    expect(provisioner(concurrency({}), [{ ...state, status: 'Publishing' }]).wanted(view)).toEqual([]);
    expect(provisioner(concurrency({}), []).wanted(view)).toEqual([]);
  });

  it('follows the use of what stands ready, from what was granted', () => {
    const tracking = { target: 0.5, minInstances: 1, maxInstances: 40 };
    const row = concurrency({ tracking });
    const busy = { ...invoker, quotas: { [quotaPool.provisioned(key)]: { usedMb: 0, peakMb: 8 * 128 } } };
    expect(provisioner(row).wanted({ ...view, book: kept(10) })).toMatchObject([{ instances: 10 }]);
    expect(provisioner(row).wanted({ ...view, invokers: [busy], book: kept(10) })).toMatchObject([
      { instances: 16 },
    ]);
  });

  it('has a few started at once and the others at the rate, and goes on where another one was', () => {
    const first = provisioner(concurrency({}));
    const pools = quotaPools({
      accountMb: 10_000,
      namespaceMb: {},
      concurrency: [],
      functions: new FunctionFacts([state]),
      provisioned: first.wanted(view),
    });
    const at = (each: Provisioner, now: number, there: number) =>
      each.place(pools, { ...view, now, book: kept(there) }).get('i')?.[key];
    expect([at(first, 0, 0), at(first, 2_000, 2), at(first, 3_000, 2)]).toEqual([2, 2, 3]);
    expect(at(provisioner(concurrency({})), 4_000, 4)).toBe(4);
  });
});
