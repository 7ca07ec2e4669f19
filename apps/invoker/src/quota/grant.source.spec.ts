import { GRANTER_KEY, type Granter } from '@openscf/contracts';
import { aGrant } from '@openscf/testing';
import { describe, expect, it, vi } from 'vitest';
import { TableFake } from '../invoker.fake.js';
import { GrantSource } from './grant.source.js';

describe('grant source', () => {
  const first: Granter = { id: 'a', term: 1 };
  const second: Granter = { id: 'b', term: 2 };

  it('goes by the newest grant of the granter that held when it was stored', () => {
    const table = new TableFake<ReturnType<typeof aGrant>>();
    const onGrant = vi.fn();
    const source = new GrantSource(table, 'i', onGrant);
    const takeOver = (granter: Granter) => table.set(GRANTER_KEY, aGrant({ granter }));
    const grant = (granter: Granter, issuedAt: number, invokerId = 'i') =>
      table.set(invokerId, aGrant({ invokerId, epoch: 'e', granter, issuedAt }));

    takeOver(first);
    grant(first, 10);
    grant(first, 10, 'other');
    takeOver(second);
    expect(source.current?.issuedAt).toBe(10);
    // Sent before the take-over, stored behind it.
    grant(first, 20);
    expect(source.current?.issuedAt).toBe(10);
    grant(second, 15);
    expect(source.current).toMatchObject({ granter: second, issuedAt: 15 });
    // A producer's second attempt, and a granter that wakes.
    grant(second, 12);
    takeOver(first);
    grant(first, 99);
    table.set('i', undefined);
    expect(source.current?.issuedAt).toBe(15);
    expect(onGrant).toHaveBeenCalledTimes(2);
  });
});
