import type { QuotaUse } from '@openscf/contracts';

/** Two slots of this length are remembered: what is told covers the last 2 to 4 s. */
const SLOT_MS = 2_000;

/** One function's memory in use, and when it will have ended at the latest. */
export interface Holding {
  readonly memoryMb: number;
  endsAt: number;
}

/** One pool's use: of now, the most of the last seconds, and what was refused. The clock is an argument. */
export class PoolUse {
  usedMb = 0;
  private readonly holdings = new Set<Holding>();
  private slot = 0;
  /** Of this slot and the one before. */
  private peaks: [number, number] = [0, 0];
  private wants: [number, number] = [0, 0];
  private units: [number, number] = [0, 0];
  private wantedSince: number | undefined;

  hold(holding: Holding, now: number): void {
    this.turn(now);
    this.holdings.add(holding);
    this.usedMb += holding.memoryMb;
    this.peaks[0] = Math.max(this.peaks[0], this.usedMb);
  }

  give(holding: Holding, now: number): void {
    this.turn(now);
    if (this.holdings.delete(holding)) this.usedMb -= holding.memoryMb;
  }

  /** @returns true when nothing so large was refused within the last seconds */
  refuse(memoryMb: number, now: number): boolean {
    this.turn(now);
    const isNews = memoryMb > Math.max(...this.units);
    this.wantedSince ??= now;
    this.wants[0] += memoryMb;
    this.units[0] = Math.max(this.units[0], memoryMb);
    return isNews;
  }

  /** @returns undefined when there is nothing to tell */
  report(now: number): QuotaUse | undefined {
    this.turn(now);
    const { usedMb, wantedSince } = this;
    const peakMb = Math.max(...this.peaks);
    const wantedMb = this.wants[0] + this.wants[1];
    if (peakMb === 0 && wantedMb === 0) return undefined;
    const unitMb = Math.max(...this.units);
    let runsUntil: number | undefined;
    for (const { endsAt } of this.holdings) runsUntil = Math.max(runsUntil ?? 0, endsAt);
    return {
      usedMb,
      peakMb,
      ...(wantedMb > 0 && wantedSince !== undefined && { wantedMb, unitMb, wantedSince }),
      ...(runsUntil !== undefined && { runsUntil }),
    };
  }

  private turn(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot === this.slot) return;
    const follows = slot === this.slot + 1;
    this.slot = slot;
    this.peaks = [this.usedMb, follows ? this.peaks[0] : this.usedMb];
    this.wants = [0, follows ? this.wants[0] : 0];
    this.units = [0, follows ? this.units[0] : 0];
    if (this.wants[1] === 0) this.wantedSince = undefined;
  }
}
