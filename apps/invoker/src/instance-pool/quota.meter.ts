import type { Grant } from '@openscf/contracts';

/**
 * Counts the concurrency in use, as SCF does: MB of function memory of the invocations under way, against the grant.
 *
 * 1. `take` never lets the use go over an unexpired grant of this process.
 * 2. Every `take` that returned `taken` is matched by one `give`.
 */
export class QuotaMeter {
  private usedMb = 0;
  private keptIssuedAt: number | undefined;

  /** `grant` gives the newest grant of this invoker, whatever its epoch. */
  constructor(
    private readonly grant: () => Grant | undefined,
    private readonly epoch: string,
    private readonly now: () => number = Date.now,
  ) {}

  take(memoryMb: number): 'taken' | 'over' | 'no-grant' {
    const grant = this.valid();
    if (grant === undefined) return 'no-grant';
    if (this.usedMb + memoryMb > grant.concurrencyMb) return 'over';
    this.usedMb += memoryMb;
    return 'taken';
  }

  give(memoryMb: number): void {
    this.usedMb -= memoryMb;
  }

  get inUseMb(): number {
    return this.usedMb;
  }

  /** What may be used in all, for messages; 0 without a valid grant. */
  get limitMb(): number {
    return this.valid()?.concurrencyMb ?? 0;
  }

  /** `issuedAt` of the newest grant that the use fits into; the scheduler counts older, larger ones no more from then on. */
  get grantIssuedAt(): number | undefined {
    const grant = this.grant();
    if (grant?.epoch === this.epoch && this.usedMb <= grant.concurrencyMb) this.keptIssuedAt = grant.issuedAt;
    return this.keptIssuedAt;
  }

  private valid(): Grant | undefined {
    const grant = this.grant();
    return grant !== undefined && grant.epoch === this.epoch && this.now() < grant.expiresAt
      ? grant
      : undefined;
  }
}
