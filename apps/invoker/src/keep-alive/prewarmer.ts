import type { FunctionState } from '@openscf/contracts';
import type { StartAhead } from '../instance-pool/keep-alive.types.js';

export interface PrewarmerOptions {
  /** What is worth most comes first. */
  readonly due: () => readonly StartAhead[];
  readonly find: (functionKey: string) => FunctionState | undefined;
  /** Why this host cannot run a function, or undefined. */
  readonly missing: (state: FunctionState) => string | undefined;
  /** Do the function's calls come to this host first? */
  readonly isOurs: (functionKey: string) => boolean;
  readonly pool: { prewarm(functionKey: string, state: FunctionState, isKnown: boolean): boolean };
}

/** After so many likely calls for which there is no room, what is less likely is not tried. */
const MOST_REFUSED = 3;

/** Has an instance started for calls that are near, on the host to which they come. */
export class Prewarmer {
  constructor(private readonly options: PrewarmerOptions) {}

  look(): void {
    const { due, find, missing, isOurs, pool } = this.options;
    let refused = 0;
    for (const { functionKey, isKnown } of due()) {
      const state = find(functionKey);
      if (state?.status !== 'Active' || missing(state) !== undefined || !isOurs(functionKey)) continue;
      if (!pool.prewarm(functionKey, state, isKnown) && !isKnown && ++refused === MOST_REFUSED) return;
    }
  }
}
