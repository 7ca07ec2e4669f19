import type { SandboxNetwork } from '@openscf/sandbox-api';
import type Docker from 'dockerode';
import type { DriverNames } from './driver.names.js';
import type { RelayContainer } from './relay.container.js';

/** A network for one instance at a time; the relay container is its only other member. */
export interface NetworkPlace {
  kind: 'relays' | 'egress';
  name: string;
  relayAddress: string;
}

/**
 * Networks made ahead and used again, as an engine takes a tenth of a second for each. Each has 8 addresses of
 * 198.18.0.0/15 (set aside for tests of network devices): .1 the gateway, .2 the relays.
 */
const FIRST_ADDRESS = (198 << 24) + (18 << 16);
const ADDRESSES_EACH = 8;

function addressOf(slot: number, offset: number): string {
  const value = FIRST_ADDRESS + slot * ADDRESSES_EACH + offset;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** Which part of 198.18.0.0/15 an owner begins with, so that several owners on one engine seldom meet. */
const SLOTS_PER_OWNER = 1024;
const OWNER_PARTS = 16;
/** Addresses that another owner uses are passed over. */
const OVERLAP_TRIES = 256;

export class NetworkPool {
  private readonly free: Record<NetworkPlace['kind'], NetworkPlace[]> = { relays: [], egress: [] };
  private readonly made: Docker.Network[] = [];
  private nextSlot: number;
  private refilling: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly docker: Docker,
    private readonly names: DriverNames,
    private readonly relay: RelayContainer | undefined,
    private readonly ready: number,
    /** Kind of the networks that are kept ready. */
    private readonly readyKind: NetworkPlace['kind'],
  ) {
    const part = [...names.owner].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % OWNER_PARTS, 7);
    this.nextSlot = part * SLOTS_PER_OWNER;
  }

  async fill(): Promise<void> {
    const free = this.free[this.readyKind];
    while (free.length < this.ready && !this.closed) free.push(await this.make(this.readyKind));
  }

  /** Undefined for `none`. */
  async take(kind: SandboxNetwork): Promise<NetworkPlace | undefined> {
    if (kind === 'none') return undefined;
    const place = this.free[kind].pop() ?? (await this.make(kind));
    this.refilling ??= this.fill()
      // The next `take` tries again, and reports to its caller.
      .catch(() => undefined)
      .finally(() => (this.refilling = undefined));
    return place;
  }

  giveBack(place: NetworkPlace): void {
    this.free[place.kind].push(place);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.refilling;
    for (const network of this.made.splice(0)) await network.remove();
  }

  /** Internal networks have no way out; the gateway's address stays unused there, so that the host is not reachable. */
  private async make(kind: NetworkPlace['kind']): Promise<NetworkPlace> {
    for (let tries = 1; ; tries += 1) {
      const slot = this.nextSlot++;
      try {
        return await this.makeAt(slot, kind);
      } catch (error) {
        if (tries === OVERLAP_TRIES || !/overlaps/.test((error as Error).message)) throw error;
      }
    }
  }

  private async makeAt(slot: number, kind: NetworkPlace['kind']): Promise<NetworkPlace> {
    const name = this.names.network(slot);
    const network = await this.docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      Internal: kind === 'relays',
      Labels: this.names.labels,
      IPAM: { Config: [{ Subnet: `${addressOf(slot, 0)}/29`, Gateway: addressOf(slot, 1) }] },
      Options: kind === 'relays' ? { 'com.docker.network.bridge.inhibit_ipv4': 'true' } : {},
    });
    this.made.push(network);
    const relayAddress = addressOf(slot, 2);
    await this.relay?.join(network, relayAddress);
    return { kind, name, relayAddress };
  }
}
