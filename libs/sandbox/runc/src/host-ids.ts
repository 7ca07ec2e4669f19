import { createHash } from 'node:crypto';
import { IDS_PER_SANDBOX } from './container.config.js';

export interface HostIdRange {
  slot: number;
  /** What id 0 of the instance is on the host. */
  firstId: number;
}

/** Below are the host's own users, and the ranges that distributions give to theirs by default. */
const FIRST_ID = 1_000_000_000;
/** Each owner has a block of this many ranges, so that ids of different sandboxes differ on the host. */
const RANGES_PER_OWNER = 1000;
const OWNER_BLOCKS = 48;
/**
 * What sandboxes that may write to folders of the host as whoever they are have in common, whoever owns them: a file that one of them
 * makes belongs to all, so that each may write to it. Each sees only the folders that it was given.
 */
export const SHARED_FIRST_ID = FIRST_ID + OWNER_BLOCKS * RANGES_PER_OWNER * IDS_PER_SANDBOX;
/** Of no process: whose files are that are not of a mount's owner. Every id that is in use on a file system has one, if it is below `count`. */
export const FOREIGN_IDS = { first: SHARED_FIRST_ID + IDS_PER_SANDBOX, count: 100_000_000 };

/** Gives each living sandbox user and group ids of its own on the host. */
export class HostIds {
  private readonly taken = new Set<number>();
  private readonly first: number;

  constructor(owner: string) {
    const block = createHash('sha256').update(owner).digest().readUInt32BE() % OWNER_BLOCKS;
    this.first = FIRST_ID + block * RANGES_PER_OWNER * IDS_PER_SANDBOX;
  }

  take(): HostIdRange {
    let slot = 0;
    while (this.taken.has(slot)) slot += 1;
    this.taken.add(slot);
    return { slot, firstId: this.first + (slot % RANGES_PER_OWNER) * IDS_PER_SANDBOX };
  }

  giveBack(range: HostIdRange): void {
    this.taken.delete(range.slot);
  }
}
