import { describe, expect, it } from 'vitest';
import { FOREIGN_IDS } from './host-ids.js';
import { mountIds } from './mount-ids.policy.js';

describe('ids of a mount with an owner', () => {
  const { first, count } = FOREIGN_IDS;

  it("makes the owner's files those of the instance, and the others' nobody's", () => {
    const { users, groups } = mountIds({ uid: 10_000, gid: 33 }, 2_000_000_000);
    expect(users).toEqual([
      { file: 0, seen: first, size: 10_000 },
      { file: 10_000, seen: 2_000_001_000, size: 1 },
      { file: 10_001, seen: first + 10_001, size: count - 10_001 },
    ]);
    expect(groups[1]).toEqual({ file: 33, seen: 2_000_001_000, size: 1 });
  });

  it.each([count - 1, count, 0xfffffffe])(
    'never maps an id twice, or to one that is none: owner %i',
    (uid) => {
      const { users } = mountIds({ uid, gid: 1 }, 2_000_000_000);
      expect(users.filter(({ file, size }) => file <= uid && uid < file + size)).toEqual([
        { file: uid, seen: 2_000_001_000, size: 1 },
      ]);
      for (const { seen, size } of users) expect(seen + size).toBeLessThan(0xffffffff);
      const sizes = users.reduce((sum, { size }) => sum + size, 0);
      expect(sizes).toBe(uid < count ? count : count + 1);
    },
  );
});
