export interface IdleInstance {
  readonly memoryMb: number;
  /** What keeping it is worth. */
  readonly value: number;
  /** When it became idle. */
  readonly idleSince: number;
}

/**
 * Which idle instances go so that `neededMb` become free: the least valuable first, of equals the one that has been idle for
 * longer, and only those worth less than `below`. No more than needed; empty when nothing must go; undefined when all of them would not be
 * enough for that and for `besidesMb`.
 */
export function chooseEvictions<I extends IdleInstance>(
  idle: readonly I[],
  neededMb: number,
  below = Infinity,
  besidesMb = 0,
): I[] | undefined {
  const chosen: I[] = [];
  let missingMb = neededMb;
  const cheaper = idle.filter(({ value }) => value < below);
  for (const instance of cheaper.toSorted((a, b) => a.value - b.value || a.idleSince - b.idleSince)) {
    if (missingMb + besidesMb <= 0) break;
    if (missingMb > 0) chosen.push(instance);
    missingMb -= instance.memoryMb;
  }
  return missingMb + besidesMb <= 0 ? chosen : undefined;
}
