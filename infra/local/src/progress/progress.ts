// Steps that a person sees while the platform starts; several run at once.
import type { Report } from '../caches/cache.ts';

export interface Progress {
  /** Runs one step, shows its seconds at the end. `report` names what it does right now. */
  step<T>(name: string, work: (report: Report) => Promise<T>): Promise<T>;
  /** One line of talk. */
  say(line: string): void;
}

/** Tells only what is being done right now: for tests. */
export function toldProgress(report: Report): Progress {
  return { step: (name, work) => work((detail) => report(`${name}: ${detail}`)), say: () => {} };
}
