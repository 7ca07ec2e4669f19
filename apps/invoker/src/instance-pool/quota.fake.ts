import type { QuotaTaken } from '../quota/quota.types.js';

/** Counts leases, and refuses more than so many. */
export class QuotaFake {
  taken = 0;

  constructor(public most = Infinity) {}

  take(): QuotaTaken {
    if (this.taken >= this.most) return { kind: 'over', message: 'over the quota' };
    this.taken++;
    let given = false;
    const give = (): void => {
      if (!given) this.taken--;
      given = true;
    };
    return { kind: 'taken', lease: { pools: ['account'], prolong: () => true, give } };
  }
}
