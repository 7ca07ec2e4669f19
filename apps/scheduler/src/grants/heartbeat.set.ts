import type { InvokerState } from '@openscf/contracts';

/** The newest heartbeat of each invoker. One that arrives behind a newer one is passed over: it would tell of an earlier life. */
export class HeartbeatSet {
  private readonly newest = new Map<string, InvokerState>();

  read(invokerId: string, state: InvokerState | undefined): void {
    if (state === undefined) this.newest.delete(invokerId);
    else if (state.sentAt >= (this.newest.get(invokerId)?.sentAt ?? 0)) this.newest.set(invokerId, state);
  }

  get all(): ReadonlyMap<string, InvokerState> {
    return this.newest;
  }
}
