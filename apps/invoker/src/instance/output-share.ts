/** The part of the event loop's time that the output of all instances may take, once each has used up what it may take at once. */
const SHARE = 0.1;
const BURST_MS = 50;

/**
 * Divides the time for output among the instances that print: who has used some of his 50 ms gets it back from the common
 * share, in equal parts, and who misses less than his part leaves the rest to the others.
 */
export class OutputShare {
  private readonly drawn = new Set<OutputBudget>();
  private paidAt = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  open(): OutputBudget {
    return new OutputBudget(this);
  }

  /** Brings all budgets up to date. */
  pay(): void {
    const now = this.now();
    let leftMs = (now - this.paidAt) * SHARE;
    this.paidAt = now;
    const budgets = [...this.drawn].sort((one, other) => other.leftMs - one.leftMs);
    for (const [index, budget] of budgets.entries()) {
      const paidMs = Math.min(BURST_MS - budget.leftMs, leftMs / (budgets.length - index));
      leftMs -= paidMs;
      budget.leftMs += paidMs;
      if (budget.leftMs >= BURST_MS) this.drawn.delete(budget);
    }
  }

  /** How long a debt takes to be paid while as many as now are paid. */
  durationOf(debtMs: number): number {
    return (debtMs * this.drawn.size) / SHARE;
  }

  draw(budget: OutputBudget): void {
    this.drawn.add(budget);
  }

  close(budget: OutputBudget): void {
    this.drawn.delete(budget);
  }
}

/** What one instance's output may take now; below 0: it is to wait. */
export class OutputBudget {
  leftMs = BURST_MS;

  constructor(private readonly share: OutputShare) {}

  spend(ms: number): void {
    this.share.pay();
    this.leftMs -= ms;
    this.share.draw(this);
  }

  /** Milliseconds until the debt is likely to be paid; 0: there is none. */
  waitMs(): number {
    this.share.pay();
    return this.leftMs >= 0 ? 0 : Math.ceil(this.share.durationOf(-this.leftMs));
  }

  /** Nothing more will be printed: the others get its part. */
  close(): void {
    this.share.close(this);
  }
}

/** One for the process, as its event loop is one. */
export const outputShare = new OutputShare();
