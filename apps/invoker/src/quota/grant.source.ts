import { GrantFence, type Grant } from '@openscf/contracts';
import type { CompactedTable } from '@openscf/bus';

/**
 * The newest grant of this invoker that counts. Made before the table has read its first record: what a record means depends on
 * those before it.
 */
export class GrantSource {
  private readonly fence = new GrantFence();
  private newest: Grant | undefined;

  /** `onGrant` is called after each grant that counts. */
  constructor(
    placements: Pick<CompactedTable<Grant>, 'onChange'>,
    private readonly invokerId: string,
    private readonly onGrant: () => void,
  ) {
    placements.onChange((key, grant) => this.read(key, grant));
  }

  get current(): Grant | undefined {
    return this.newest;
  }

  private read(key: string, grant: Grant | undefined): void {
    if (this.fence.read(key, grant) !== 'valid' || key !== this.invokerId) return;
    this.newest = grant;
    this.onGrant();
  }
}
