import { functionKey, type FunctionState } from '@openscf/contracts';

export interface PrefetcherOptions {
  /** Is this host among the first so many that the function's calls go to? */
  readonly isOurs: (functionKey: string, hosts: number) => boolean;
  /** Makes ready on the host what the function needs. */
  readonly prefetch: (state: FunctionState) => Promise<void>;
  readonly log: (fields: object, message: string) => void;
}

/** Hosts that make a function's code ready when it is deployed: the first that its calls go to, and the next. */
const HOSTS = 2;
/** What is fetched ahead must not take the disk and the network from what somebody waits for. */
const AT_ONCE = 2;

/**
 * Makes code ready on this host when it is deployed, so that nobody's first call waits for it: for functions whose calls come
 * here (the same order of hosts as the dispatcher's), a few at a time, the newest state of each.
 */
export class Prefetcher {
  private readonly waiting = new Map<string, FunctionState>();
  private running = 0;

  constructor(private readonly options: PrefetcherOptions) {}

  deployed(state: FunctionState): void {
    if (state.status !== 'Active' || !this.options.isOurs(functionKey(state), HOSTS)) return;
    this.waiting.set(functionKey(state), state);
    this.next();
  }

  private next(): void {
    while (this.running < AT_ONCE) {
      const [entry] = this.waiting;
      if (entry === undefined) return;
      this.waiting.delete(entry[0]);
      this.running++;
      void this.fetch(entry[1]).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  private async fetch(state: FunctionState): Promise<void> {
    try {
      await this.options.prefetch(state);
    } catch (error) {
      // The first call says it to somebody who can do something about it.
      this.options.log({ functionKey: functionKey(state), error: String(error) }, 'code was not made ready');
    }
  }
}
