/** An invoker as one pool sees it. All in MB of function memory. */
export interface Sharer {
  readonly invokerId: string;
  /** False: it drains; it keeps what it uses and gets nothing more. */
  readonly accepting: boolean;
  readonly usedMb: number;
  readonly peakMb: number;
  /** What was refused lately, in functions of at most `unitMb`, since when; 0 when nothing was. */
  readonly wantedMb: number;
  readonly unitMb: number;
  readonly wantedSince: number;
  /** When it told all this. */
  readonly sentAt: number;
  /** Its part by the newest grant. */
  readonly heldMb: number;
  /** The most that its host could run. */
  readonly capMb: number;
}

/**
 * How a pool's quota is divided: first what each has used lately, then what it was refused (whole functions, the one with
 * the fewest first), then the rest in equal parts, none smaller than `unitMb` while there are others.
 *
 * It stays as it is while it serves everyone: an idle part moves only when someone lacks something, or has less than half of the
 * reserve that an even division would give it. Nobody's idle part is taken for a demand that it has not yet had the
 * time to serve: callers try every invoker in turn, so a part that one was refused is often used at the other.
 */
export function shares(
  quotaMb: number,
  unitMb: number,
  sharers: readonly Sharer[],
): ReadonlyMap<string, number> {
  const ordered = [...sharers].sort(byClaim);
  const floors = new Map<string, number>();
  const leftMb = giveWanted(keepUsed(quotaMb, unitMb, ordered, floors), ordered, floors);
  const ideal = new Map(floors);
  divideRest(leftMb, unitMb, ordered, ideal);
  return isFine(quotaMb, unitMb, ordered, floors, ideal)
    ? new Map(ordered.map(({ invokerId, heldMb }) => [invokerId, heldMb]))
    : ideal;
}

type Parts = Map<string, number>;

/** @returns what is left of the quota */
function keepUsed(quotaMb: number, unitMb: number, ordered: readonly Sharer[], parts: Parts): number {
  let leftMb = quotaMb;
  for (const sharer of ordered) {
    const { invokerId, accepting, usedMb, peakMb, heldMb, capMb } = sharer;
    const keepsMb = isToBeAsked(sharer, ordered) ? heldMb : peakMb;
    const wholeMb = accepting ? Math.max(usedMb, Math.min(keepsMb, capMb)) : usedMb;
    const partMb = wholeMb <= leftMb ? wholeMb : floorTo(leftMb, unitMb);
    parts.set(invokerId, partMb);
    leftMb -= partMb;
  }
  return leftMb;
}

/** True while another one lacks something and this one has not spoken since: it may be serving just that. */
function isToBeAsked(sharer: Sharer, all: readonly Sharer[]): boolean {
  return all.some((other) => other !== sharer && other.wantedMb > 0 && other.wantedSince > sharer.sentAt);
}

function giveWanted(quotaMb: number, ordered: readonly Sharer[], parts: Parts): number {
  let leftMb = quotaMb;
  const given = new Map<string, number>();
  const wanting = ordered.filter(({ accepting, wantedMb }) => accepting && wantedMb > 0);
  for (let progress = true; progress;) {
    progress = false;
    for (const { invokerId, usedMb, unitMb, wantedMb, capMb } of wanting) {
      const partMb = parts.get(invokerId) ?? 0;
      const goalMb = usedMb + floorTo(partMb - usedMb, unitMb) + unitMb;
      if (goalMb > usedMb + Math.ceil(wantedMb / unitMb) * unitMb || goalMb > capMb) continue;
      if (goalMb - partMb > leftMb) continue;
      leftMb -= goalMb - partMb;
      parts.set(invokerId, goalMb);
      given.set(invokerId, (given.get(invokerId) ?? 0) + 1);
      progress = true;
    }
  }
  return leftMb;
}

function divideRest(restMb: number, unitMb: number, ordered: readonly Sharer[], parts: Parts): void {
  const accepting = ordered.filter((sharer) => sharer.accepting);
  const roomMb = ({ invokerId, capMb }: Sharer) => Math.max(0, capMb - (parts.get(invokerId) ?? 0));
  let leftMb = restMb;
  const give = (sharer: Sharer, mb: number): void => {
    parts.set(sharer.invokerId, (parts.get(sharer.invokerId) ?? 0) + mb);
    leftMb -= mb;
  };
  for (;;) {
    const open = accepting.filter((sharer) => roomMb(sharer) >= unitMb);
    const shareMb = floorTo(leftMb / Math.max(1, open.length), unitMb);
    if (open.length === 0 || shareMb === 0) break;
    for (const sharer of open) give(sharer, Math.min(shareMb, floorTo(roomMb(sharer), unitMb)));
  }
  // Less than a function for each: whole ones to as many as possible, and what is smaller than that to whoever can hold it.
  for (const sharer of accepting) if (leftMb >= unitMb && roomMb(sharer) >= unitMb) give(sharer, unitMb);
  for (const sharer of accepting) if (leftMb > 0) give(sharer, Math.min(leftMb, roomMb(sharer)));
}

function isFine(
  quotaMb: number,
  unitMb: number,
  ordered: readonly Sharer[],
  floors: Parts,
  ideal: Parts,
): boolean {
  let heldInAllMb = 0;
  let idealInAllMb = 0;
  for (const { invokerId, accepting, heldMb } of ordered) {
    const floorMb = floors.get(invokerId) ?? 0;
    const idealMb = ideal.get(invokerId) ?? 0;
    heldInAllMb += heldMb;
    idealInAllMb += idealMb;
    if (heldMb < floorMb || (!accepting && heldMb > floorMb)) return false;
    if (heldMb - floorMb < floorTo((idealMb - floorMb) / 2, unitMb)) return false;
  }
  return heldInAllMb <= quotaMb && idealInAllMb - heldInAllMb < Math.min(unitMb, idealInAllMb);
}

function floorTo(mb: number, unitMb: number): number {
  return unitMb <= 0 ? mb : Math.floor(mb / unitMb) * unitMb;
}

/** Who uses most, then who holds most, comes first where not all can be served. */
function byClaim(a: Sharer, b: Sharer): number {
  return b.usedMb - a.usedMb || b.heldMb - a.heldMb || (a.invokerId < b.invokerId ? -1 : 1);
}
