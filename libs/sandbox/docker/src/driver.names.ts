import { createHash } from 'node:crypto';

/** Every container and network of an owner carries this label; `recover` finds them by it. */
export const OWNER_LABEL = 'openscf.owner';

/** Names of what one owner has in the engine. */
export class DriverNames {
  readonly labels: Record<string, string>;
  readonly relay: string;

  constructor(readonly owner: string) {
    this.labels = { [OWNER_LABEL]: owner };
    this.relay = `openscf-${owner}-relay`;
  }

  container(id: string): string {
    return `openscf-${this.owner}-${id}`;
  }

  network(slot: number): string {
    return `openscf-${this.owner}-n${slot}`;
  }

  /** Filter of the Engine API for what belongs to the owner. */
  get filters(): { label: string[] } {
    return { label: [`${OWNER_LABEL}=${this.owner}`] };
  }
}

/** Root file systems lie in folders named by what they were made from, so the path names the content. */
export function imageName(rootfs: string): string {
  return `openscf-rootfs:${createHash('sha256').update(rootfs).digest('hex').slice(0, 16)}`;
}
