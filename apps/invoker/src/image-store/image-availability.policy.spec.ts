import { describe, expect, it } from 'vitest';
import { withImages } from './image-availability.policy.js';

const runtimes = { names: ['Nodejs22'], missing: { Php5: 'no package has it' } };
const able = { missing: undefined };

describe('images among the runtimes of a host', () => {
  it('are one more of them where tools and agent are there', () => {
    expect(withImages(runtimes, able, '/agent')).toEqual({
      names: ['Nodejs22', 'CustomImage'],
      missing: { Php5: 'no package has it' },
    });
  });

  it.each([
    ['tools', { missing: 'install umoci: apt-get install -y umoci' }, '/agent', 'apt-get install -y umoci'],
    ['the agent', able, undefined, 'the agent'],
    ['a store', undefined, '/agent', 'image store'],
  ])('are missing where a host lacks %s, and it says so', (_name, store, agent, reason) => {
    const { names, missing } = withImages(runtimes, store, agent);
    expect(names).toEqual(['Nodejs22']);
    expect(missing['CustomImage']).toContain(reason);
  });
});
