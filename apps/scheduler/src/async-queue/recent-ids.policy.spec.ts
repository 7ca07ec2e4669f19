import { describe, expect, it } from 'vitest';
import { RecentIds } from './recent-ids.policy.js';

describe('RecentIds', () => {
  it('forgets the oldest beyond its capacity', () => {
    const ids = new RecentIds(2);
    for (const id of ['a', 'b', 'a', 'c']) ids.add(id);
    expect(['a', 'b', 'c'].map((id) => ids.has(id))).toEqual([true, false, true]);
  });
});
