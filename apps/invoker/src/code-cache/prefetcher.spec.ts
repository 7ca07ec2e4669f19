import type { FunctionState, InvokerState } from '@openscf/contracts';
import { describe, expect, it, vi } from 'vitest';
import { isAmongFirst } from '../heartbeat/host-share.policy.js';
import { Prefetcher } from './prefetcher.js';

function state(functionName: string, change: Partial<FunctionState> = {}): FunctionState {
  return {
    namespace: 'default',
    functionName,
    version: '$LATEST',
    status: 'Active',
    ...change,
  } as FunctionState;
}

function invoker(invokerId: string, change: Partial<InvokerState> = {}): InvokerState {
  return { invokerId, accepting: true, sentAt: 1_000, ...change } as InvokerState;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('prefetcher', () => {
  function prefetcher(invokerId: string, invokers: InvokerState[] = []) {
    const prefetch = vi.fn((_state: FunctionState) => Promise.resolve());
    const made = new Prefetcher({
      isOurs: (key, hosts) => isAmongFirst(key, hosts, invokerId, invokers, 2_000),
      prefetch,
      log: vi.fn(),
    });
    return { made, prefetch };
  }

  it('makes ready on two hosts what is deployed, on the same that calls go to', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const hosts = ids.map((id) =>
      prefetcher(
        id,
        ids.map((other) => invoker(other)),
      ),
    );
    for (let n = 0; n < 50; n++) for (const { made } of hosts) made.deployed(state(`f${n}`));
    await turn();
    const counts = hosts.map(({ prefetch }) => prefetch.mock.calls.length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(100);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('does not count on hosts that are lost or leave', async () => {
    const gone = [
      invoker('b', { sentAt: -20_000 }),
      invoker('c', { accepting: false }),
      invoker('d', { sentAt: -20_000 }),
    ];
    const { made, prefetch } = prefetcher('a', gone);
    for (let n = 0; n < 20; n++) made.deployed(state(`f${n}`));
    await vi.waitFor(() => expect(prefetch).toHaveBeenCalledTimes(20));
  });

  it('leaves what is not active, and goes on after what cannot be had', async () => {
    const { made, prefetch } = prefetcher('a');
    prefetch.mockRejectedValueOnce(new Error('gone'));
    made.deployed(state('creating', { status: 'Creating' }));
    for (const name of ['x', 'y', 'z']) made.deployed(state(name));
    await vi.waitFor(() => expect(prefetch).toHaveBeenCalledTimes(3));
  });

  it('fetches the newest of what is deployed again and again, two at a time', async () => {
    let go: () => void = () => undefined;
    const { made, prefetch } = prefetcher('a');
    prefetch.mockReturnValue(new Promise<void>((resolve) => (go = resolve)));
    for (const name of ['x', 'y']) made.deployed(state(name));
    for (let revision = 1; revision <= 5; revision++) made.deployed(state('z', { revision }));
    expect(prefetch).toHaveBeenCalledTimes(2);
    go();
    await vi.waitFor(() => expect(prefetch).toHaveBeenCalledTimes(3));
    expect(prefetch.mock.calls[2]?.[0].revision).toBe(5);
  });
});
