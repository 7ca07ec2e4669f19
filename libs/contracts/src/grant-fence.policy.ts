import { GRANTER_KEY, type Grant, type Granter } from './placement.schema.js';

/**
 * Which records of `openscf.placements` count. Fed with every record in the topic's order, from the beginning.
 *
 * 1. A granter's record counts when its term is higher than that of all before it; from there on only its grants count.
 * 2. So a grant that a superseded granter sends late, or a paused one sends when it wakes, is dropped by every reader
 *    alike: the topic's order decides, no clock.
 * 3. A grant that is not newer than the invoker's last one (a producer's second attempt) is dropped.
 * 4. Grants before the first granter's record count: compaction has removed the record that stood before them. It removes only
 *    what is older than any grant can count (`compactionLagMs` of the topic).
 */
export class GrantFence {
  private granter: Granter | undefined;
  private readonly newest = new Map<string, { epoch: string; issuedAt: number }>();

  /** The granter of now, as far as the topic was read. */
  get current(): Granter | undefined {
    return this.granter;
  }

  /** @param grant undefined for a tombstone: nothing that was granted is taken back by one */
  read(key: string, grant: Grant | undefined): 'granter' | 'valid' | 'dropped' {
    if (grant === undefined) return 'dropped';
    if (key === GRANTER_KEY) return this.readGranter(grant.granter);
    if (this.granter !== undefined && !isSame(this.granter, grant.granter)) return 'dropped';
    const known = this.newest.get(key);
    if (known?.epoch === grant.epoch && grant.issuedAt <= known.issuedAt) return 'dropped';
    this.newest.set(key, { epoch: grant.epoch, issuedAt: grant.issuedAt });
    return 'valid';
  }

  private readGranter(granter: Granter): 'granter' | 'dropped' {
    if (this.granter !== undefined && granter.term <= this.granter.term) return 'dropped';
    this.granter = granter;
    return 'granter';
  }
}

function isSame(a: Granter, b: Granter): boolean {
  return a.term === b.term && a.id === b.id;
}
