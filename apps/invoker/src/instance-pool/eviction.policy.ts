export interface IdleInstance {
  readonly memoryMb: number;
  /** What keeping it is worth. */
  readonly value: number;
  /** When it became idle. */
  readonly idleSince: number;
}

/**
 * Which idle instances go so that `neededMb` become free: the least valuable first, of equals the one that has been idle for
 * longer, and only those worth less than `below`. No more than needed; empty when nothing must go; undefined when all of them would not be enough.
 */
export function chooseEvictions<I extends IdleInstance>(
  idle: readonly I[],
  neededMb: number,
  below = Infinity,
): I[] | undefined {
  const chosen: I[] = [];
  let missingMb = neededMb;
  for (const instance of idle
    .filter(({ value }) => value < below)
    .sort((a, b) => a.value - b.value || a.idleSince - b.idleSince)) {
    if (missingMb <= 0) break;
    chosen.push(instance);
    missingMb -= instance.memoryMb;
  }
  return missingMb <= 0 ? chosen : undefined;
}
