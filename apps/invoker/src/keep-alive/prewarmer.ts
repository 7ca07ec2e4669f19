import type { FunctionState } from '@openscf/contracts';

export interface PrewarmerOptions {
  readonly due: () => readonly string[];
  readonly find: (functionKey: string) => FunctionState | undefined;
  /** Why this host cannot run a function, or undefined. */
  readonly missing: (state: FunctionState) => string | undefined;
  /** Do the function's calls come to this host first? */
  readonly isOurs: (functionKey: string) => boolean;
  readonly pool: { prewarm(functionKey: string, state: FunctionState): void };
}

/** Has an instance started for calls that are near, on the host to which they come. */
export class Prewarmer {
  constructor(private readonly options: PrewarmerOptions) {}

  look(): void {
    const { due, find, missing, isOurs, pool } = this.options;
    for (const functionKey of due()) {
      const state = find(functionKey);
      if (state?.status !== 'Active' || missing(state) !== undefined || !isOurs(functionKey)) continue;
      pool.prewarm(functionKey, state);
    }
  }
}
