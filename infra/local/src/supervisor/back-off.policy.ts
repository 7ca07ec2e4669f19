/** Milliseconds to wait before the start that follows the n-th crash in a row (1, 2, …). The first is almost at once. */
export function backOffMs(crashesInARow: number): number {
  const steps = [100, 300, 1_000, 2_000, 5_000];
  return steps[Math.min(crashesInARow, steps.length) - 1] ?? 100;
}
