import type { SandboxNetwork } from '@openscf/sandbox-api';
import { join } from 'node:path';
import { NETWORK_NAMESPACES, type DriverPaths } from './driver-paths.js';
import type { RouterNetwork } from './router.network.js';

/** A ready network namespace; `path` is what a container joins. */
export interface NetworkPlace {
  slot: number;
  kind: 'relays' | 'egress';
  path: string;
}

/** Made at once while nobody waits. */
const BATCH = 8;

/**
 * Network namespaces made ahead and used again: making one costs tens of milliseconds, joining one microseconds.
 * Invariants: (1) a slot is in exactly one of free, taken, being made; (2) a place goes back only after all processes of
 * its sandbox are gone; (3) at least `ready` places with egress are free or being made, after the first fill.
 */
export class NetworkPool {
  private readonly free: Record<NetworkPlace['kind'], NetworkPlace[]> = { relays: [], egress: [] };
  private readonly made = new Set<number>();
  private nextSlot = 0;
  private refilling: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly paths: DriverPaths,
    private readonly router: RouterNetwork,
    private readonly ready: number,
  ) {}

  async fill(): Promise<void> {
    while (this.free.egress.length < this.ready && !this.closed)
      this.free.egress.push(
        ...(await this.make('egress', Math.min(BATCH, this.ready - this.free.egress.length))),
      );
  }

  /** Undefined for `none`: such a sandbox gets a namespace without any device. */
  async take(kind: SandboxNetwork): Promise<NetworkPlace | undefined> {
    if (kind === 'none') return undefined;
    const place = this.free[kind].pop() ?? (await this.make(kind, 1))[0];
    this.refill();
    return place;
  }

  giveBack(place: NetworkPlace): void {
    this.free[place.kind].push(place);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.refilling;
    await this.router.removeInstances([...this.made]);
    this.made.clear();
  }

  private refill(): void {
    this.refilling ??= this.fill()
      // The next `take` tries again, and reports to its caller.
      .catch(() => undefined)
      .finally(() => (this.refilling = undefined));
  }

  private async make(kind: NetworkPlace['kind'], count: number): Promise<NetworkPlace[]> {
    const slots = Array.from({ length: count }, () => this.nextSlot++);
    slots.forEach((slot) => this.made.add(slot));
    await this.router.addInstances(slots, kind);
    return slots.map((slot) => {
      return { slot, kind, path: join(NETWORK_NAMESPACES, this.paths.networkNamespace(slot)) };
    });
  }
}
