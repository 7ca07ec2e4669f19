import { INSTANCE_GID, INSTANCE_UID, type SandboxMountOwner } from '@openscf/sandbox-api';
import { FOREIGN_IDS } from './host-ids.js';

/** Ids of files, and what they are for those who see the mount; both as the host counts. */
export interface MountIdRange {
  file: number;
  seen: number;
  size: number;
}

export interface MountIds {
  users: MountIdRange[];
  groups: MountIdRange[];
}

/**
 * The owner's files are the instance's. All others are of ids that no process has: what they allow everyone, the instance may.
 * Its root has no id here, so that it could not make a file.
 */
export function mountIds({ uid, gid }: SandboxMountOwner, firstHostId: number): MountIds {
  return {
    users: rangesOf(uid, firstHostId + INSTANCE_UID),
    groups: rangesOf(gid, firstHostId + INSTANCE_GID),
  };
}

function rangesOf(file: number, seen: number): MountIdRange[] {
  const { first, count } = FOREIGN_IDS;
  const below = Math.min(file, count);
  const above = Math.max(count - file - 1, 0);
  return [
    { file: 0, seen: first, size: below },
    { file, seen, size: 1 },
    { file: file + 1, seen: first + file + 1, size: above },
  ].filter(({ size }) => size > 0);
}
