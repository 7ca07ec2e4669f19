import type { ColdReason, FunctionState } from '@openscf/contracts';

/** Why an instance is no more, as far as the next cold start is concerned. */
export type WhyGone = Extract<ColdReason, 'idle-end' | 'evicted' | 'replaced' | 'new-revision'>;

interface Memory {
  revision: string;
  why: WhyGone | undefined;
}

/** Functions that are remembered; the one that was seen longest ago is forgotten first. */
const MOST = 10_000;

/** Remembers of each function why its last instance went, so that a cold start can say why it was one. */
export class ColdReasons {
  private readonly memories = new Map<string, Memory>();

  constructor(private readonly most = MOST) {}

  gone(functionKey: string, state: FunctionState, why: WhyGone): void {
    this.remember(functionKey, { revision: revisionOf(state), why });
  }

  /** An instance is about to be started for a call. `others`: are there instances of the revision, all of them busy? */
  reasonFor(functionKey: string, state: FunctionState, others: boolean): ColdReason {
    const memory = this.memories.get(functionKey);
    const revision = revisionOf(state);
    this.remember(functionKey, { revision, why: memory?.revision === revision ? memory.why : undefined });
    if (others) return 'scale-out';
    if (memory === undefined) return 'first';
    return memory.revision === revision ? (memory.why ?? 'first') : 'new-revision';
  }

  private remember(functionKey: string, memory: Memory): void {
    // Again at the end: a map keeps the order of insertion.
    this.memories.delete(functionKey);
    this.memories.set(functionKey, memory);
    if (this.memories.size <= this.most) return;
    const [oldest] = this.memories.keys();
    if (oldest !== undefined) this.memories.delete(oldest);
  }
}

function revisionOf({ functionId, revision }: FunctionState): string {
  return `${functionId}#${revision}`;
}
