import { describe, expect, it } from 'vitest';
import { sandboxOwner } from './invoker.config.js';

describe('sandbox owner', () => {
  it('is a name that drivers accept, whatever the invoker is called', () => {
    for (const invokerId of ['vm', 'Host.Example.COM', '---', 'x'.repeat(64), '_']) {
      expect(sandboxOwner({ home: '/home/x', invokerId })).toMatch(/^[a-z0-9][a-z0-9-]{0,31}$/);
    }
  });

  it('is the same over restarts, and another one for another installation', () => {
    const config = { home: '/a', invokerId: 'vm' };
    expect(sandboxOwner(config)).toBe(sandboxOwner({ ...config }));
    expect(sandboxOwner(config)).not.toBe(sandboxOwner({ ...config, home: '/b' }));
  });
});
