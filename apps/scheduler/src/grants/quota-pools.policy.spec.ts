import { aFunctionState } from '@openscf/testing';
import { describe, expect, it } from 'vitest';
import {
  FunctionFacts,
  isPartOfAccount,
  provisionedNow,
  quotaPools,
  type QuotaPoolsInput,
} from './quota-pools.policy.js';

const state = (functionName: string, version = '$LATEST', memoryMb = 128) =>
  aFunctionState({
    namespace: 'n',
    functionName,
    version,
    memoryMb,
    initTimeoutMs: 1_000,
    timeoutMs: memoryMb,
  });
const functions = new FunctionFacts([state('a'), state('a', '1', 512), state('b', '2', 256), state('c')]);

function pools(input: Partial<QuotaPoolsInput>): Record<string, [number, number]> {
  const all = quotaPools({
    accountMb: 4_096,
    namespaceMb: {},
    concurrency: [],
    provisioned: [],
    functions,
    ...input,
  });
  const inAll = all
    .filter(({ name }) => isPartOfAccount(name))
    .reduce((sum, { quotaMb }) => sum + quotaMb, 0);
  expect(inAll).toBe(4_096);
  return Object.fromEntries(all.map(({ name, quotaMb, totalMb }) => [name, [quotaMb, totalMb]]));
}

const reserved = (functionName: string, reservedMb: number) => ({ namespace: 'n', functionName, reservedMb });

describe('the pools', () => {
  it('are the reservations, and the account for the rest', () => {
    expect(pools({})).toEqual({ account: [4_096, 4_096] });
    expect(
      pools({ concurrency: [reserved('a', 1_024), reserved('c', 0), { namespace: 'n', functionName: 'b' }] }),
    ).toEqual({
      'function:n/a': [1_024, 1_024],
      'function:n/c': [0, 0],
      account: [3_072, 3_072],
    });
  });

  it('take provisioned instances out of the reservation, or out of the account, whole ones', () => {
    const provisioned = [provisionedNow(state('a', '1', 512), 3), provisionedNow(state('b', '2', 256), 2)];
    expect(pools({ provisioned, concurrency: [reserved('a', 1_200)] })).toEqual({
      'provisioned:n/a/1': [1_024, 1_200],
      'function:n/a': [176, 1_200],
      'provisioned:n/b/2': [512, 512],
      account: [2_384, 2_384],
    });
  });

  it('of namespaces have what the operator set but for what is set apart in them', () => {
    const all = pools({ namespaceMb: { n: 1_500, other: 100 }, concurrency: [reserved('a', 1_024)] });
    expect([all['namespace:n'], all['namespace:other']]).toEqual([
      [476, 1_500],
      [100, 100],
    ]);
  });

  it('add up to the account though more is configured', () => {
    expect(pools({ concurrency: [reserved('a', 4_000), reserved('b', 4_000)] })).toEqual({
      'function:n/a': [4_000, 4_000],
      'function:n/b': [96, 4_000],
      account: [0, 0],
    });
  });

  it('know the largest function that draws on them and the longest run', () => {
    const [own, account] = quotaPools({
      accountMb: 4_096,
      namespaceMb: {},
      concurrency: [reserved('a', 1_024)],
      provisioned: [],
      functions,
    });
    expect([own?.unitMb, own?.runMs, account?.runMs]).toEqual([512, 31_512, 31_512]);
  });
});
