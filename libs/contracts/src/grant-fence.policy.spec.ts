import { describe, expect, it } from 'vitest';
import { GrantFence } from './grant-fence.policy.js';
import { GRANTER_KEY, type Grant, type Granter } from './placement.schema.js';

function grant(granter: Granter, issuedAt = 0, epoch = 'e'): Grant {
  return { invokerId: 'i', epoch, granter, quotas: {}, provisioned: {}, issuedAt, expiresAt: issuedAt + 1 };
}

describe('GrantFence', () => {
  const first = { id: 'a', term: 1 };
  const again = { id: 'a', term: 3 };

  it('drops what a granter sent in an earlier term of its own', () => {
    const fence = new GrantFence();
    expect(fence.read(GRANTER_KEY, grant(first))).toBe('granter');
    expect(fence.read(GRANTER_KEY, grant(again))).toBe('granter');
    expect(fence.read('i', grant(first, 1))).toBe('dropped');
    expect(fence.read('i', grant(again, 2))).toBe('valid');
    expect(fence.current).toEqual(again);
  });

  it('keeps to the first of two that take the same term', () => {
    const fence = new GrantFence();
    fence.read(GRANTER_KEY, grant(first));
    expect(fence.read(GRANTER_KEY, grant({ id: 'b', term: 1 }))).toBe('dropped');
    expect(fence.read('i', grant({ id: 'b', term: 1 }, 1))).toBe('dropped');
  });

  it('takes grants whose granter compaction has removed, and those of a new process', () => {
    const fence = new GrantFence();
    expect(fence.read('i', grant(first, 5))).toBe('valid');
    expect(fence.read('i', grant(first, 5))).toBe('dropped');
    expect(fence.read('i', grant(first, 4, 'next'))).toBe('valid');
  });
});
