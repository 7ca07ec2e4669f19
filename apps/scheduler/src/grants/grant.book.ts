import { GrantFence, type Grant, type Granter } from '@openscf/contracts';

/**
 * What was granted, as a scheduler knows it: the newest grant of each invoker that counts in the topic, and in front of it what
 * this scheduler has sent in its term and not yet read back, stored or not.
 *
 * 1. What is sent is noted before it is sent, so one whose fate is unknown counts.
 * 2. A granter's record ends the notes: what has not come back by then is behind the record, where no reader counts it.
 */
export class GrantBook {
  private readonly fence = new GrantFence();
  private readonly stored = new Map<string, Grant>();
  private readonly sent = new Map<string, Grant>();

  /** The granter of now, as far as the topic was read. */
  get granter(): Granter | undefined {
    return this.fence.current;
  }

  /** The next record of the topic. */
  read(key: string, grant: Grant | undefined): void {
    switch (this.fence.read(key, grant)) {
      case 'granter':
        this.sent.clear();
        return;
      case 'valid':
        if (grant !== undefined) this.stored.set(key, grant);
        return;
      case 'dropped':
    }
  }

  send(grant: Grant): void {
    this.sent.set(grant.invokerId, grant);
  }

  get(invokerId: string): Grant | undefined {
    const stored = this.stored.get(invokerId);
    const sent = this.sent.get(invokerId);
    return sent !== undefined && sent.issuedAt > (stored?.issuedAt ?? -1) ? sent : stored;
  }

  ids(): Set<string> {
    return new Set([...this.stored.keys(), ...this.sent.keys()]);
  }

  all(): Grant[] {
    return [...this.ids()].flatMap((invokerId) => this.get(invokerId) ?? []);
  }
}
