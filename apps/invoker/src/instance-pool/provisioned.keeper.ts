import type { FunctionState } from '@openscf/contracts';

export interface ProvisionedKeeperOptions {
  /** Instances to have started ahead on this host, by `functionKey`. */
  readonly wanted: () => Readonly<Record<string, number>>;
  readonly find: (functionKey: string) => FunctionState | undefined;
  /** Why this host cannot run a function, or undefined. */
  readonly missing: (state: FunctionState) => string | undefined;
  readonly pool: {
    provision(functionKey: string, state: FunctionState, count: number): void;
    readonly provisioned: Readonly<Record<string, number>>;
  };
  /** What is ready has changed: others wait for it. */
  readonly onChange: () => void;
}

/** Passes on to the pool what is to be started ahead, as the grant and the functions of now want it. */
export class ProvisionedKeeper {
  private readonly kept = new Map<string, FunctionState>();
  private told = '';

  constructor(private readonly options: ProvisionedKeeperOptions) {}

  /** To be called when the grant or a function has changed, and now and then: what ends is replaced. */
  look(): void {
    const { wanted, find, missing, pool, onChange } = this.options;
    const counts = wanted();
    for (const [functionKey, state] of this.kept) {
      if (counts[functionKey] !== undefined) continue;
      pool.provision(functionKey, state, 0);
      this.kept.delete(functionKey);
    }
    for (const [functionKey, count] of Object.entries(counts)) {
      const state = find(functionKey);
      if (state?.status !== 'Active' || missing(state) !== undefined) continue;
      pool.provision(functionKey, state, count);
      this.kept.set(functionKey, state);
    }
    const ready = JSON.stringify(pool.provisioned);
    if (ready !== this.told) onChange();
    this.told = ready;
  }
}
