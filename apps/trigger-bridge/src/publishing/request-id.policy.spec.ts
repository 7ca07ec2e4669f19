import { describe, expect, it } from 'vitest';
import { requestIdFrom } from './request-id.policy.js';

describe('requestIdFrom', () => {
  it('gives the same UUID for the same cause', () => {
    const id = requestIdFrom('timer', 'lam-1', 't', '1000');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(requestIdFrom('timer', 'lam-1', 't', '1000')).toBe(id);
  });

  it('keeps parts apart', () => {
    expect(requestIdFrom('a', 'bc')).not.toBe(requestIdFrom('ab', 'c'));
  });
});
