import type { InvokerState } from '@openscf/contracts';

/** An invoker may hold at most this many times the mean of the calls in flight before the next in rank is preferred. */
const LOAD_FACTOR = 1.25;

export interface Candidate {
  readonly state: InvokerState;
  /** Calls of this process that the invoker has not answered yet. */
  readonly inFlight: number;
  /** Its heartbeat is young enough. */
  readonly fresh: boolean;
}

/**
 * The order in which invokers are tried for a function: rendezvous hashing, so that its warm instances are found again and
 * few functions move when an invoker comes or goes; those over the load bound after the others; those without a fresh
 * heartbeat last. They are still tried: when Kafka is away no heartbeat is fresh, and sync calls go on.
 */
export function orderCandidates<C extends Candidate>(functionKey: string, candidates: readonly C[]): C[] {
  if (candidates.length <= 1) return [...candidates];
  let total = 1;
  for (const candidate of candidates) total += candidate.inFlight;
  const bound = Math.ceil((LOAD_FACTOR * total) / candidates.length);
  return candidates
    .map((candidate) => ({
      candidate,
      tier: (candidate.fresh ? 0 : 2) + (candidate.inFlight >= bound ? 1 : 0),
      weight: rendezvousWeight(functionKey, candidate.state.invokerId),
    }))
    .sort((a, b) => a.tier - b.tier || b.weight - a.weight)
    .map(({ candidate }) => candidate);
}

/** FNV-1a with a final mix (murmur3's): cheap, and even enough for a few dozen invokers. */
export function rendezvousWeight(functionKey: string, invokerId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < functionKey.length; i++) hash = Math.imul(hash ^ functionKey.charCodeAt(i), 0x01000193);
  for (let i = 0; i < invokerId.length; i++) hash = Math.imul(hash ^ invokerId.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
