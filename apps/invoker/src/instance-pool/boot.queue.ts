import type { BootTurn } from '../instance/instance.types.js';

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
  async run<T>(wanted: () => boolean, boot: (turn: BootTurn) => Promise<T>): Promise<T | undefined> {
    await this.enter((next) => this.waiting.push(next));
    let [isHeld, isOver] = [true, false];
    const leave = (): void => {
      isHeld = false;
      this.leave();
    };
    const lendWhile = async <W>(waited: Promise<W>): Promise<W> => {
      leave();
      try {
        return await waited;
      } finally {
        // A boot may be over before what it waited for.
        if (!isOver) {
          await this.enter((next) => this.waiting.unshift(next));
          if (isOver) this.leave();
          else isHeld = true;
        }
      }
    };
    try {
      return wanted() ? await boot({ lendWhile }) : undefined;
    } finally {
      isOver = true;
      if (isHeld) leave();
    }
  }

  private async enter(waitBy: (next: () => void) => void): Promise<void> {
    if (this.running >= this.atOnce) await new Promise<void>(waitBy);
    else this.running++;
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.running--;
    else next();
  }
}
