/**
 * Lets a few cold boots run at once: more than the processors can carry only makes all of them slower. In order of arrival.
 */
export class BootQueue {
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(private readonly atOnce: number) {}

  get isEmpty(): boolean {
    return this.running === 0;
  }

  /** Would a boot begin at once? */
  get hasRoom(): boolean {
    return this.running < this.atOnce;
  }

  /** @returns the boot's outcome, or undefined when `wanted` said no at its turn. */
  async run<T>(wanted: () => boolean, boot: () => Promise<T>): Promise<T | undefined> {
    if (this.running >= this.atOnce) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      return wanted() ? await boot() : undefined;
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
