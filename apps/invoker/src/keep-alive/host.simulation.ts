import { chooseEvictions } from '../instance-pool/eviction.policy.js';
import type { KeepAlive } from '../instance-pool/keep-alive.types.js';

export interface SimulatedCall {
  readonly at: number;
  readonly functionKey: string;
}

/** All functions alike: what is compared is which of them are there. */
const MEMORY_MB = 128;
const COLD_MS = 300;
const TICK_MS = 1_000;

/**
 * A host in simulated time, for comparing policies: calls take no time, an instance serves one function.
 * @returns how many calls found no instance
 */
export function simulateHost(calls: readonly SimulatedCall[], policy: KeepAlive, hostMb: number): number {
  const idle = new Map<string, { functionKey: string; memoryMb: number; idleSince: number }>();
  let cold = 0;
  let tick = 0;
  const start = (now: number, below = Infinity): boolean => {
    const missingMb = (idle.size + 1) * MEMORY_MB - hostMb;
    if (missingMb <= 0) return true;
    const valued = [...idle.values()].map((each) => ({
      ...each,
      value: policy.value(each.functionKey, MEMORY_MB, now),
    }));
    const evictions = chooseEvictions(valued, missingMb, below);
    for (const { functionKey } of evictions ?? []) idle.delete(functionKey);
    return evictions !== undefined;
  };
  const becomeIdle = (functionKey: string, now: number): void => {
    policy.idle(functionKey, COLD_MS, now);
    idle.set(functionKey, { functionKey, memoryMb: MEMORY_MB, idleSince: now });
  };
  const pass = (now: number): void => {
    for (const [functionKey, { idleSince }] of idle)
      if (now - idleSince >= policy.keepMs(functionKey, idleSince)) idle.delete(functionKey);
    for (const functionKey of policy.due(now)) {
      if (idle.has(functionKey)) continue;
      if (start(now, policy.value(functionKey, MEMORY_MB, now))) becomeIdle(functionKey, now);
    }
  };
  for (const { at, functionKey } of calls) {
    for (; tick <= at; tick += TICK_MS) pass(tick);
    policy.called(functionKey, at);
    if (!idle.has(functionKey)) {
      cold++;
      start(at);
    }
    becomeIdle(functionKey, at);
  }
  return cold;
}
