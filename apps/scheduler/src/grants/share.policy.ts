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
 * the fewest first), then the rest in equal parts, none smaller than `unitMb` while there are others. Where there is less than
 * is used and wanted, nobody keeps more than an even part: so that a host that fails takes no more than that with it.
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
  const fair = fairParts(quotaMb, unitMb, ordered);
  let leftMb = quotaMb;
  for (const sharer of ordered) {
    const { invokerId, usedMb, heldMb } = sharer;
    const keepsMb = isToBeAsked(sharer, ordered)
      ? Math.max(usedMb, heldMb)
      : Math.min(lately(sharer), fair.get(invokerId) ?? 0);
    const partMb = keepsMb <= leftMb ? keepsMb : floorTo(leftMb, unitMb);
    parts.set(invokerId, partMb);
    leftMb -= partMb;
  }
  return leftMb;
}

/** What each uses and wants, or an even part where that is too much; a function that is left over stays where it is used. */
function fairParts(quotaMb: number, unitMb: number, ordered: readonly Sharer[]): Parts {
  const parts: Parts = new Map();
  const need = (sharer: Sharer): number => {
    const { accepting, usedMb, wantedMb, capMb } = sharer;
    return accepting ? Math.max(lately(sharer), Math.min(usedMb + wantedMb, capMb)) : usedMb;
  };
  let leftMb = quotaMb;
  let others = ordered.length;
  let levelMb: number | undefined;
  for (const sharer of [...ordered].sort((a, b) => need(a) - need(b))) {
    if (levelMb === undefined && need(sharer) > leftMb / others) levelMb = floorTo(leftMb / others, unitMb);
    const partMb = levelMb ?? need(sharer);
    parts.set(sharer.invokerId, partMb);
    leftMb -= partMb;
    others--;
  }
  for (const sharer of ordered) {
    const partMb = parts.get(sharer.invokerId) ?? 0;
    const moreMb = Math.min(unitMb, need(sharer) - partMb, leftMb);
    parts.set(sharer.invokerId, partMb + moreMb);
    leftMb -= moreMb;
  }
  return parts;
}

/** What a sharer needs for what it has done lately. */
function lately({ accepting, usedMb, peakMb, capMb }: Sharer): number {
  return accepting ? Math.max(usedMb, Math.min(peakMb, capMb)) : usedMb;
}

/** True while another one lacks something and this one has not spoken since: it may be serving just that. */
function isToBeAsked(sharer: Sharer, all: readonly Sharer[]): boolean {
  return all.some((other) => other !== sharer && other.wantedMb > 0 && other.wantedSince > sharer.sentAt);
}

function giveWanted(quotaMb: number, ordered: readonly Sharer[], parts: Parts): number {
  let leftMb = quotaMb;
  const partOf = ({ invokerId }: Sharer) => parts.get(invokerId) ?? 0;
  /** Its part with one more whole function, or undefined when it wants none or cannot have it. */
  const goalOf = (sharer: Sharer): number | undefined => {
    const { accepting, usedMb, unitMb, wantedMb, capMb } = sharer;
    const goalMb = usedMb + floorTo(partOf(sharer) - usedMb, unitMb) + unitMb;
    const mostMb = Math.min(usedMb + Math.ceil(wantedMb / unitMb) * unitMb, capMb);
    return accepting && wantedMb > 0 && goalMb <= mostMb && goalMb - partOf(sharer) <= leftMb
      ? goalMb
      : undefined;
  };
  for (;;) {
    let least: Sharer | undefined;
    for (const sharer of ordered) {
      if (goalOf(sharer) !== undefined && (least === undefined || partOf(sharer) < partOf(least)))
        least = sharer;
    }
    const goalMb = least === undefined ? undefined : goalOf(least);
    if (least === undefined || goalMb === undefined) return leftMb;
    leftMb -= goalMb - partOf(least);
    parts.set(least.invokerId, goalMb);
  }
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
